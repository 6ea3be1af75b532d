//! What a call's controllers wrote into their logs, for those who develop them.

use super::Meter;
use aigen_jarvis::{Ending, LogEntry};
use tracing::Level;

impl Meter {
    /// Logs it at debug level and never above: it may repeat what somebody said. It is no more than sessions
    /// may log, and of the call whose receipt has this id.
    pub(super) fn log_controllers(&self, endings: &[Ending]) {
        let silent = endings.iter().all(|ending| ending.log.is_empty());
        if silent || !tracing::enabled!(target: "aigen::controller", Level::DEBUG) {
            return;
        }
        let controller = self.controller_name();
        for (answer, ending) in endings.iter().enumerate() {
            for line in &ending.log {
                let LogEntry {
                    branch,
                    level,
                    message,
                } = line;
                tracing::debug!(
                    target: "aigen::controller",
                    controller,
                    call = %self.call,
                    answer,
                    branch,
                    severity = level.name(),
                    said = message.as_str(),
                    "a controller logged"
                );
            }
        }
    }

    fn controller_name(&self) -> Option<String> {
        let network = self.node.network();
        let controller = network.controller(self.controller?)?;
        Some(controller.published.reference.to_string())
    }
}
