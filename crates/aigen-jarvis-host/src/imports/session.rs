//! Variables, output, meter and chance: the context that the branches share.

use wasmtime::Result;

use crate::bindings::aigen::controller::types::Error;
use crate::bindings::aigen::controller::{meter, output, rng, variables};
use crate::state::State;

impl State {
    /// What was refused ends the request, and at once: a guest that goes on trying would hold
    /// everybody up.
    fn or_fault<T>(
        &mut self,
        outcome: std::result::Result<T, aigen_jarvis::Fault>,
    ) -> Result<std::result::Result<T, Error>> {
        match outcome {
            Ok(value) => Ok(Ok(value)),
            Err(fault) => self.refuse(fault),
        }
    }
}

impl variables::Host for State {
    fn get(&mut self, name: String) -> Result<Option<variables::Versioned>> {
        let found = self.context.variable(self.branch, &name);
        self.spend(found.as_ref().map_or(0, |found| found.value.len()))?;
        Ok(found.map(|found| variables::Versioned {
            version: found.version,
            value: found.value,
        }))
    }

    fn set(
        &mut self,
        name: String,
        value: Vec<u8>,
    ) -> Result<std::result::Result<u64, variables::Error>> {
        self.spend(value.len())?;
        let outcome = self.context.set_variable(self.branch, &name, &value);
        self.or_fault(outcome)
    }

    fn append(
        &mut self,
        name: String,
        value: Vec<u8>,
    ) -> Result<std::result::Result<u64, variables::Error>> {
        self.spend(value.len())?;
        let outcome = self.context.append_variable(self.branch, &name, &value);
        self.or_fault(outcome)
    }

    fn compare_and_set(
        &mut self,
        name: String,
        expected: u64,
        value: Vec<u8>,
    ) -> Result<std::result::Result<std::result::Result<u64, u64>, variables::Error>> {
        self.spend(value.len())?;
        let (branch, context) = (self.branch, self.context.clone());
        let outcome = context.compare_and_set_variable(branch, &name, expected, &value);
        self.or_fault(outcome)
    }
}

impl output::Host for State {
    fn log(&mut self, level: output::Level, message: String) -> Result<()> {
        self.spend(message.len())?;
        let level = match level {
            output::Level::Debug => aigen_jarvis::Level::Debug,
            output::Level::Info => aigen_jarvis::Level::Info,
            output::Level::Warn => aigen_jarvis::Level::Warn,
            output::Level::Error => aigen_jarvis::Level::Error,
        };
        match self.context.log(self.branch, level, &message) {
            Ok(()) => Ok(()),
            Err(fault) => self.refuse(fault),
        }
    }

    fn set_visible(&mut self, visible: bool) -> Result<()> {
        self.spend(0)?;
        self.context.set_visible(self.branch, visible);
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.spend(0)?;
        self.context.commit(self.branch);
        Ok(())
    }

    fn hold(&mut self, tokens: u32) -> Result<()> {
        self.spend(0)?;
        self.hold = tokens;
        Ok(())
    }

    fn put_result(
        &mut self,
        name: String,
        json: String,
    ) -> Result<std::result::Result<(), output::Error>> {
        self.spend(json.len())?;
        let outcome = self.context.put_result(&name, &json);
        self.or_fault(outcome)
    }
}

impl meter::Host for State {
    fn used(&mut self) -> Result<meter::Usage> {
        self.spend(0)?;
        let used = self.context.used();
        Ok(meter::Usage {
            prompt_tokens: used.prompt_tokens,
            cached_prompt_tokens: used.cached_prompt_tokens,
            sampled_tokens: used.output.sampled_tokens,
            forced_tokens: used.output.forced_tokens,
            discarded_tokens: used.output.discarded_tokens,
            branches_created: used.output.branches,
            branches_live: used.branches_live,
            forward_passes: used.passes,
            late_steps: used.late_steps,
            fuel: used.guest.fuel,
            host_calls: used.guest.host_calls,
        })
    }

    fn remaining(&mut self) -> Result<meter::Budget> {
        self.spend(0)?;
        let left = self.context.remaining();
        Ok(meter::Budget {
            tokens: left.tokens,
            room: left.room,
            branches: left.branches,
            fuel: self.fuel_left,
        })
    }
}

impl rng::Host for State {
    fn next(&mut self) -> Result<u64> {
        self.spend(0)?;
        Ok(self.context.random(self.branch))
    }
}
