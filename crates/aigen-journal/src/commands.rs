//! The places and numbers of every command. Append only.

use crate::codec::{DecodeError, Wire, choice, malformed, record};
use aigen_economy::settlement::{Parameter, ParameterKind, Params, RemainderPolicy};
use aigen_economy::{Price, Shares, Usage};
use aigen_network::{
    AssignEpoch, Cell, CloseCall, CloseEpoch, Command, CommitScores, ControllerKind, ExtendCall,
    Found, GoldOpening, Issue, NewController, NewKey, NewModel, NewValidator, OpenCall, Outcome,
    Pay, ProgressCall, Report, RevealScores, Role, Settings,
};

choice!(Command {
    1 => Found(inner),
    2 => Issue(inner),
    3 => Pay(inner),
    4 => CreateKey(inner),
    5 => RevokeKey(inner),
    6 => PublishModel(inner),
    7 => PublishController(inner),
    8 => RegisterValidator(inner),
    9 => OpenCall(inner),
    10 => ExtendCall(inner),
    11 => ProgressCall(inner),
    12 => CloseCall(inner),
    13 => AssignEpoch(inner),
    14 => CommitScores(inner),
    15 => FreezeCommits,
    16 => RevealScores(inner),
    17 => CloseEpoch(inner),
});

choice!(Role { 1 => Customer, 2 => Operator });
choice!(ControllerKind { 1 => Grammar, 2 => Script });
choice!(ParameterKind { 1 => Voted, 2 => Measured });
choice!(RemainderPolicy { 1 => Treasury, 2 => Burn, 3 => Refund });
choice!(Outcome {
    1 => Stop,
    2 => Length,
    3 => Budget,
    4 => Cancelled,
    5 => ControllerFault,
    6 => EngineFault,
    7 => Recovered,
    8 => Expired,
});

record!(Found { name, settings });
record!(Settings {
    shares,
    parameters,
    params,
    latency_budget_micros
});
record!(Issue { id, to, amount });
record!(Pay {
    id,
    from,
    to,
    amount
});
record!(NewKey {
    name,
    secret_hash,
    account,
    role
});
record!(NewModel {
    name,
    provider,
    digest,
    context_tokens,
    price
});
record!(NewController {
    reference,
    kind,
    source,
    listed,
    description
});
record!(NewValidator { name, owner, stake });
record!(OpenCall {
    call,
    key,
    model,
    controller,
    prompt_tokens,
    chunk_tokens,
    budget,
    request
});
record!(ExtendCall {
    call,
    chunk_tokens,
    used
});
record!(ProgressCall { call, used });
record!(CloseCall {
    call,
    used,
    outcome,
    controller_micros,
    decisions
});
record!(AssignEpoch { epoch, cells, gold });
record!(CommitScores {
    epoch,
    validator,
    commitment
});
record!(RevealScores {
    epoch,
    validator,
    salt,
    reports
});
record!(CloseEpoch { epoch, gold });
record!(Cell {
    validator,
    controller,
    parameter,
    suite
});
record!(Report {
    controller,
    parameter,
    score
});
record!(GoldOpening {
    controller,
    parameter,
    truth,
    salt
});
record!(Price {
    input,
    cached_input,
    output,
    request
});
record!(Usage {
    prompt_tokens,
    cached_prompt_tokens,
    sampled_tokens,
    forced_tokens,
    discarded_tokens
});

record!(Parameter {
    id,
    weight,
    kind,
    gate_full
});
record!(Params {
    rho,
    support,
    prior,
    alpha_up,
    alpha_down,
    alpha_stale,
    stale_cov,
    tol,
    beta,
    delta,
    q_solo,
    skill_full,
    alpha_gold,
    gold_min_spread,
    slash_absent,
    slash_noreveal,
    slash_gold,
    slash_gold_floor,
    slash_audit,
    audit_tol,
    slash_cap,
    min_owners,
    remainder,
});

impl Wire for Shares {
    fn put(&self, out: &mut Vec<u8>) {
        [
            self.provider(),
            self.data(),
            self.controller(),
            self.validator(),
        ]
        .iter()
        .for_each(|share| share.put(out));
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let [provider, data, controller, validator] = [(); 4].map(|()| Wire::take(input));
        match Self::new(provider?, data?, controller?, validator?) {
            Ok(shares) => Ok(shares),
            Err(_) => malformed("the shares leave the protocol nothing"),
        }
    }
}
