//! Sample: the model may answer `yes` or `no`, and nothing else.

use aigen_controller::prelude::*;

#[derive(Clone)]
struct YesNo(Matcher);

impl Controller for YesNo {
    fn open(_: Request) -> Result<Self, Error> {
        output::hold(0);
        Ok(Self(choice(&["yes", "no"])?.matcher()))
    }

    fn step(&mut self, step: Step) -> Result<Decision, Error> {
        Ok(match step.why {
            Wake::Started => segment().under(&self.0).into(),
            _ => stop(),
        })
    }
}

controller!(YesNo);
