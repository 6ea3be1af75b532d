//! Calls of functions, put together from the parts that an upstream tells them in. A call is
//! passed on once it is whole and known to be one: what was offered, with arguments that are JSON.

use std::sync::Arc;

use aigen_engine::text::{TextCall, TextTools};
use serde_json::{Map, Value};

use crate::engine::validator;
use crate::wire::CallPart;

/// The calls of one answer.
pub(crate) struct Calls {
    /// What was offered; nothing is called where it is nothing.
    tools: Option<Arc<TextTools>>,
    /// The call that is being told.
    open: Option<(u64, TextCall)>,
    told: u64,
}

impl Calls {
    pub fn new(tools: Option<&Arc<TextTools>>) -> Self {
        Self {
            tools: tools.cloned(),
            open: None,
            told: 0,
        }
    }

    /// Takes a part; gives the call before it, if it begins another.
    ///
    /// # Errors
    /// What is wrong with the calls.
    pub fn take(&mut self, part: CallPart) -> Result<Option<TextCall>, String> {
        if self.tools.is_none() {
            return Err("it calls a function, and none was offered".to_owned());
        }
        let index = part.index.unwrap_or(self.told);
        let arguments = part.function.arguments.unwrap_or_default();
        match &mut self.open {
            Some((open, call)) if *open == index => {
                call.arguments.push_str(&arguments);
                Ok(None)
            }
            _ if index < self.told => Err("it goes on with a call after the next began".to_owned()),
            _ => {
                let before = self.close()?;
                let name = part.function.name.unwrap_or_default();
                self.open = Some((index, TextCall { name, arguments }));
                self.told = index + 1;
                Ok(before)
            }
        }
    }

    /// The last call, once nothing follows.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn close(&mut self) -> Result<Option<TextCall>, String> {
        let Some((_, mut call)) = self.open.take() else {
            return Ok(None);
        };
        if call.arguments.trim().is_empty() {
            // As some say that there are none.
            call.arguments = "{}".to_owned();
        }
        self.check(&call)?;
        Ok(Some(call))
    }

    fn check(&self, call: &TextCall) -> Result<(), String> {
        let functions = self.tools.iter().flat_map(|tools| &tools.functions);
        let mut functions = functions.filter(|function| function.name == call.name);
        let Some(function) = functions.next() else {
            return Err("it calls a function that was not offered".to_owned());
        };
        let name = &call.name;
        let arguments: Map<String, Value> = serde_json::from_str(&call.arguments)
            .map_err(|error| format!("the arguments of its call of `{name}` are none: {error}"))?;
        if !function.strict {
            return Ok(());
        }
        let validator = validator(&function.parameters)?;
        // The masked form: an answer's content does not belong into errors.
        let wrong = |error: jsonschema::ValidationError<'_>| {
            let error = error.masked().to_string();
            format!("the arguments of its call of `{name}` do not satisfy their schema: {error}")
        };
        validator.validate(&Value::Object(arguments)).map_err(wrong)
    }
}
