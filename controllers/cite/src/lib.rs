//! A quotation: the model may say what stands in a text, word for word, and nothing else.

use aigen_controller::prelude::*;

#[derive(Clone)]
struct Cite {
    source: Matcher,
    quoted: bool,
}

impl Controller for Cite {
    fn open(request: Request) -> Result<Self, Error> {
        let argument: serde_json::Value =
            serde_json::from_str(&request.argument).unwrap_or_default();
        let text = argument["text"]
            .as_str()
            .ok_or_else(|| Error::Invalid("`text` must be the text to quote from".to_owned()))?;
        let source = quote(text, None)?.matcher();
        Ok(Self {
            source,
            quoted: false,
        })
    }

    fn step(&mut self, step: Step) -> Result<Decision, Error> {
        Ok(match step.why {
            Wake::Started => text("\""),
            Wake::Edited if self.quoted => stop(),
            Wake::Edited => segment().under(&self.source).into(),
            _ => {
                self.quoted = true;
                text("\"")
            }
        })
    }
}

controller!(Cite);
