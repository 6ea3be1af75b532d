//! The places and numbers of every command. Append only.

use crate::codec::{DecodeError, Wire, choice, earlier, malformed, record};
use aigen_economy::settlement::{Parameter, ParameterKind, Params, RemainderPolicy};
use aigen_economy::{DatasetPrice, Price, Shares, Usage};
use aigen_network::{
    Appeal, Asked, AssignEpoch, Cell, CloseCall, CloseEpoch, Column, Command, CommitScores,
    ControllerKind, Counter, DatasetUse, DecideAppeal, ExtendCall, Finding, Found, GoldOpening,
    Grant, GrantAllowance, GrantDataset, Issue, KeyLimits, LimitKey, MoveStake, NewController,
    NewDataset, NewKey, NewModel, NewRelease, NewValidator, OpenCall, OpenSubCall, Outcome, Pay,
    Period, PriceDataset, ProgressCall, ProposeRules, ReadDataset, ReadWithin, RefundCall,
    RefundReason, Release, Report, RevealScores, ReverseCall, RevokeAllowance, RevokeDataset, Role,
    RowRange, Rows, Rules, Scope, SetBudget, SetStanding, Settings, Standing, Stated, Steered,
    TagController, TagKey, Terms, Wanted, WithdrawDataset,
};
use aigen_types::{BudgetPath, NodeId};

/// A command as [`choice!`] writes it, but for those that have an earlier form: what that can
/// say is still written in it, under its number, so that every command has exactly one form.
macro_rules! commands {
    (
        $($number:literal => $variant:ident $(($inner:ident))?,)*
        @earlier $($old:literal => $grown:ident($form:ident)
            $(then $mid:literal($midform:ident))* before $new:literal,)*
    ) => {
        impl Wire for Command {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Command::$grown(inner) if $form::says(inner) => {
                        out.push($old);
                        $form::put(inner, out);
                    })*
                    $($(Command::$grown(inner) if $midform::says(inner) => {
                        out.push($mid);
                        $midform::put(inner, out);
                    })*)*
                    $(Command::$grown(inner) => {
                        out.push($new);
                        inner.put(out);
                    })*
                    $(Command::$variant $(($inner))? => {
                        out.push($number);
                        $($inner.put(out);)?
                    })*
                }
            }

            fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
                let form = u8::take(input)?;
                let command = match form {
                    $($old => Command::$grown($form::take(input)?),)*
                    $($($mid => Command::$grown($midform::take(input)?),)*)*
                    $($new => Command::$grown(Wire::take(input)?),)*
                    $($number => {
                        $(let $inner = Wire::take(input)?;)?
                        Command::$variant $(($inner))?
                    })*
                    _ => return malformed("an unknown kind of Command"),
                };
                match grown_form(&command) {
                    Some(earlier) if earlier != form => malformed("an earlier form says as much"),
                    _ => Ok(command),
                }
            }
        }

        /// The number of the earliest form that can say it, of a command that has several.
        fn grown_form(command: &Command) -> Option<u8> {
            match command {
                $(Command::$grown(inner) if $form::says(inner) => Some($old),)*
                $($(Command::$grown(inner) if $midform::says(inner) => Some($mid),)*)*
                $(Command::$grown(_) => Some($new),)*
                _ => None,
            }
        }
    };
}

commands! {
    1 => Found(inner),
    2 => Issue(inner),
    3 => Pay(inner),
    5 => RevokeKey(inner),
    6 => PublishModel(inner),
    7 => PublishController(inner),
    8 => RegisterValidator(inner),
    10 => ExtendCall(inner),
    11 => ProgressCall(inner),
    14 => CommitScores(inner),
    15 => FreezeCommits,
    16 => RevealScores(inner),
    20 => SetBudget(inner),
    21 => GrantAllowance(inner),
    22 => RevokeAllowance(inner),
    23 => ReverseCall(inner),
    24 => RefundCall(inner),
    25 => PublishRelease(inner),
    26 => SetStanding(inner),
    27 => TagController(inner),
    42 => ProposeRules(inner),
    43 => AddStake(inner),
    44 => RemoveStake(inner),
    45 => Appeal(inner),
    46 => DecideAppeal(inner),
    72 => PublishDataset(inner),
    73 => PriceDataset(inner),
    74 => WithdrawDataset(inner),
    75 => GrantDataset(inner),
    76 => RevokeDataset(inner),
    77 => ReadDataset(inner),
    78 => ReadWithin(inner),
    @earlier
    4 => CreateKey(KeyOfAccount) before 19,
    9 => OpenCall(CallOfKey) then 18(CallWithoutReads) before 70,
    65 => OpenSubCall(SubCallWithoutReads) before 71,
    13 => AssignEpoch(AssignmentWithoutSeed) before 40,
    17 => CloseEpoch(CloseWithoutAudits) before 41,
    12 => CloseCall(CloseOfTokens) then 50(CloseWithin) then 66(CloseUncounted) before 80,
    60 => LimitKey(LimitOfAllDatasets) before 81,
}

earlier!(AssignmentWithoutSeed of AssignEpoch { epoch, cells, gold } with { seed: None });
earlier!(CloseWithoutAudits of CloseEpoch { epoch, gold } with { seed: None, audits: Vec::new() });
earlier!(CloseOfTokens of CloseCall {
    call,
    used,
    outcome,
    controller_micros,
    decisions
} with {
    steered: Steered::default(),
    counter: None,
});

/// A close of a call whose controller asked nothing of the outside.
struct CloseWithin;

impl CloseWithin {
    fn says(close: &CloseCall) -> bool {
        CloseUncounted::says(close) && close.steered.asked == Asked::default()
    }

    fn put(close: &CloseCall, out: &mut Vec<u8>) {
        CloseOfTokens::put(close, out);
        close.steered.put(out);
    }

    fn take(input: &mut &[u8]) -> Result<CloseCall, DecodeError> {
        let close = CloseOfTokens::take(input)?;
        let steered = Steered::take(input)?;
        Ok(CloseCall { steered, ..close })
    }
}

/// A close that does not say who counted.
struct CloseUncounted;

impl CloseUncounted {
    fn says(close: &CloseCall) -> bool {
        close.counter.is_none()
    }

    fn put(close: &CloseCall, out: &mut Vec<u8>) {
        CloseWithin::put(close, out);
        close.steered.asked.put(out);
    }

    fn take(input: &mut &[u8]) -> Result<CloseCall, DecodeError> {
        let mut close = CloseWithin::take(input)?;
        close.steered.asked = Asked::take(input)?;
        Ok(close)
    }
}

impl Wire for CloseCall {
    fn put(&self, out: &mut Vec<u8>) {
        CloseUncounted::put(self, out);
        self.counter.put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let close = CloseUncounted::take(input)?;
        let counter = Wire::take(input)?;
        Ok(CloseCall { counter, ..close })
    }
}

/// A key that may read every dataset.
struct LimitOfAllDatasets;

impl LimitOfAllDatasets {
    fn says(limit: &LimitKey) -> bool {
        LimitsOfAllDatasets::says(&limit.limits)
    }

    fn put(limit: &LimitKey, out: &mut Vec<u8>) {
        limit.key.put(out);
        LimitsOfAllDatasets::put(&limit.limits, out);
    }

    fn take(input: &mut &[u8]) -> Result<LimitKey, DecodeError> {
        let key = Wire::take(input)?;
        let limits = LimitsOfAllDatasets::take(input)?;
        Ok(LimitKey { key, limits })
    }
}

earlier!(KeyOfAccount of NewKey {
    name,
    secret_hash,
    account,
    role
} with {
    spender: None,
});
earlier!(CallOfKey of OpenCall {
    call,
    key,
    model,
    controller,
    prompt_tokens,
    chunk_tokens,
    budget,
    request
} with {
    node: NodeId(0),
    least_tokens: 1,
    end_user: None,
    bill_to: None,
    reads: Vec::new(),
});
earlier!(CallWithoutReads of OpenCall {
    call,
    key,
    model,
    controller,
    prompt_tokens,
    chunk_tokens,
    budget,
    request,
    node,
    least_tokens,
    end_user,
    bill_to
} with {
    reads: Vec::new(),
});

/// A call within a call, of which no prompt holds rows of a dataset.
struct SubCallWithoutReads;

impl SubCallWithoutReads {
    fn says(sub: &OpenSubCall) -> bool {
        CallWithoutReads::says(&sub.open)
    }

    fn put(sub: &OpenSubCall, out: &mut Vec<u8>) {
        sub.parent.put(out);
        CallWithoutReads::put(&sub.open, out);
    }

    fn take(input: &mut &[u8]) -> Result<OpenSubCall, DecodeError> {
        let parent = Wire::take(input)?;
        let open = CallWithoutReads::take(input)?;
        Ok(OpenSubCall { parent, open })
    }
}

choice!(Period { 1 => Day, 2 => Week, 3 => Month, 4 => Total });
choice!(RefundReason {
    1 => Duplicate,
    2 => ServiceFailure,
    3 => Quality,
    4 => Fraud,
    5 => Goodwill,
    6 => Other,
});

choice!(Role { 1 => Customer, 2 => Operator });
choice!(ControllerKind { 1 => Grammar, 2 => Script, 3 => Wasm, 4 => Function });
choice!(Scope { 1 => Complete, 2 => Read, 3 => Manage });
choice!(Standing { 1 => Current, 2 => Deprecated, 3 => Yanked });
choice!(ParameterKind { 1 => Voted, 2 => Measured });
choice!(RemainderPolicy { 1 => Treasury, 2 => Burn, 3 => Refund });
choice!(DatasetUse { 1 => Read, 2 => Completion, 3 => Controller, 4 => Download });
choice!(Counter { 1 => Engine, 2 => Upstream, 3 => Estimated });
choice!(Outcome {
    1 => Stop,
    2 => Length,
    3 => Budget,
    4 => Cancelled,
    5 => ControllerFault,
    6 => EngineFault,
    7 => Recovered,
    8 => Expired,
    9 => Filtered,
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
    role,
    spender
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
record!(NewRelease {
    controller,
    release
});
record!(Release {
    content,
    content_bytes,
    manifest,
    publisher,
    signature
});
record!(LimitKey { key, limits });
record!(KeyLimits {
    requests_per_minute,
    tokens_per_minute,
    expires_at,
    models,
    controllers,
    datasets,
    scopes
});
earlier!(LimitsOfAllDatasets of KeyLimits {
    requests_per_minute,
    tokens_per_minute,
    expires_at,
    models,
    controllers,
    scopes
} with {
    datasets: Vec::new(),
});
record!(SetStanding { reference, stated });
record!(Stated { standing, reason });
record!(TagController { key, version });
record!(TagKey { controller, tag });
record!(NewValidator { name, owner, stake });
record!(OpenCall {
    call,
    key,
    model,
    controller,
    prompt_tokens,
    chunk_tokens,
    budget,
    request,
    node,
    least_tokens,
    end_user,
    bill_to,
    reads
});
record!(ExtendCall {
    call,
    chunk_tokens,
    used
});
record!(ProgressCall { call, used });
record!(OpenSubCall { parent, open });
record!(Asked {
    tools,
    pages,
    completions,
    bytes
});
earlier!(SteeredWithin of Steered {
    fuel,
    hidden_tokens,
    unkept_tokens,
    branches,
    fault,
    conforms
} with {
    asked: Asked::default(),
});

/// What few calls asked of the outside stands apart.
impl Wire for Steered {
    fn put(&self, out: &mut Vec<u8>) {
        SteeredWithin::put(self, out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        SteeredWithin::take(input)
    }
}

record!(AssignEpoch {
    epoch,
    cells,
    gold,
    seed
});
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
record!(CloseEpoch {
    epoch,
    gold,
    seed,
    audits
});
record!(Finding {
    controller,
    parameter,
    truth
});
record!(ProposeRules { version, rules });
record!(Rules {
    parameters,
    params,
    terms
});
record!(Terms {
    registration_bond,
    activation_epochs,
    unbonding_epochs,
    panel,
    commit_seconds,
    reveal_seconds,
    appeal_seconds,
    appeal_bond,
    timelock_epochs,
});
record!(MoveStake {
    id,
    validator,
    amount
});
record!(Appeal {
    id,
    epoch,
    from,
    controller,
    parameter,
    evidence
});
record!(DecideAppeal { id, truth });
record!(SetBudget { path, cap, period });
record!(GrantAllowance {
    user,
    app,
    cap,
    period,
    margin,
    expires_at
});
record!(RevokeAllowance { user, app });
record!(ReverseCall { id, call, reason });
record!(RefundCall {
    id,
    call,
    amount,
    reason
});
record!(NewDataset {
    reference,
    by,
    content,
    rows,
    bytes,
    columns,
    description,
    licence,
    uses,
    open,
    price,
    provider
});
record!(Column { name, kind });
record!(DatasetPrice { row, hit, download });
record!(PriceDataset {
    reference,
    by,
    price
});
record!(WithdrawDataset {
    reference,
    by,
    reason
});
record!(GrantDataset {
    dataset,
    by,
    to,
    grant
});
record!(Grant {
    columns,
    uses,
    until
});
record!(RevokeDataset { dataset, by, to });
record!(ReadDataset {
    read,
    key,
    wanted,
    purpose,
    request,
    end_user,
    bill_to,
    budget
});
record!(ReadWithin { call, wanted });
record!(Wanted {
    dataset,
    columns,
    rows,
    hits
});
record!(RowRange { first, count });

impl Wire for Rows {
    fn put(&self, out: &mut Vec<u8>) {
        let ranges = self.ranges().to_vec();
        ranges.put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match Self::from_ranges(Wire::take(input)?) {
            Some(rows) => Ok(rows),
            None => malformed("ranges of rows that overlap, touch or are out of order"),
        }
    }
}

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

impl Wire for BudgetPath {
    fn put(&self, out: &mut Vec<u8>) {
        self.to_string().put(out);
    }

    fn take(input: &mut &[u8]) -> Result<Self, DecodeError> {
        match String::take(input)?.parse() {
            Ok(path) => Ok(path),
            Err(_) => malformed("not a valid BudgetPath"),
        }
    }
}
