//! What the story is about: the texts that users bring, and the controllers on offer.

use crate::commands::epoch::Evaluate;
use serde_json::{Map, Value};

/// A controller that a developer offers.
pub struct Offer {
    pub reference: &'static str,
    pub source: &'static str,
    pub description: &'static str,
    pub suite: &'static str,
}

/// Two developers, the same two tasks. From the outside their answers look alike.
pub const OFFERS: [Offer; 4] = [
    Offer {
        reference: "ada/grounded-quiz@1.0.0",
        source: include_str!("../../../../../controllers/grounded-quiz.lark"),
        description: "Quiz items whose answers are quoted from the lesson",
        suite: "lesson-quiz",
    },
    Offer {
        reference: "bob/fluent-quiz@1.0.0",
        source: include_str!("../../../../../controllers/fluent-quiz.lark"),
        description: "Quiz items in perfect form",
        suite: "lesson-quiz",
    },
    Offer {
        reference: "ada/grounded-reply@1.0.0",
        source: include_str!("../../../../../controllers/grounded-reply.lark"),
        description: "Replies that rest on a quoted company fact",
        suite: "support-reply",
    },
    Offer {
        reference: "bob/fluent-reply@1.0.0",
        source: include_str!("../../../../../controllers/fluent-reply.lark"),
        description: "Replies in perfect form",
        suite: "support-reply",
    },
];

/// Each offer with the suite that its kind is evaluated with.
pub fn evaluations() -> Vec<Evaluate> {
    let evaluate = |offer: &Offer| Evaluate {
        controller: offer.reference.parse().expect("a constant reference"),
        suite: offer.suite.parse().expect("a constant name"),
    };
    OFFERS.iter().map(evaluate).collect()
}

/// Something a user of the app brings: what is asked, and the text that knows.
pub struct Task {
    pub prompt: &'static str,
    pub text: &'static str,
    /// What a customer asks, if one does.
    pub message: &'static str,
    /// The suite whose controllers can do it.
    pub suite: &'static str,
}

impl Task {
    /// The user message, as the model was taught to read it.
    pub fn question(&self) -> String {
        let asked = match self.message {
            "" => String::new(),
            message => format!("\nMessage: {message}"),
        };
        format!("{}{}{asked}", self.prompt, self.text)
    }

    /// What the controllers' holes are filled with: the text, and its sentences one by one.
    pub fn params(&self) -> Map<String, Value> {
        let sentences = self.text.split_inclusive(". ").map(str::trim);
        Map::from_iter([
            ("lesson".to_owned(), Value::from(self.text)),
            ("sentences".to_owned(), sentences.collect::<Vec<_>>().into()),
        ])
    }
}

/// None of these is a case of a suite.
pub const TASKS: [Task; 6] = [
    Task {
        prompt: "Write a quiz item about the deepest lake.\nLesson: ",
        text: "Lake Baikal lies in Siberia. It is the deepest lake on Earth. Its water is home to the nerpa, a small seal.",
        message: "",
        suite: "lesson-quiz",
    },
    Task {
        prompt: "Write a quiz item about the founder of the hospital.\nLesson: ",
        text: "The hospital of Quillmoor opened in 1887. It was founded by Theodora Wexley, a nurse. The garden was added much later.",
        message: "",
        suite: "lesson-quiz",
    },
    Task {
        prompt: "Write a quiz item about the oldest bridge.\nLesson: ",
        text: "Four bridges cross the Sernik. The oldest bridge is the Abbot bridge. The newest one carries only trains.",
        message: "",
        suite: "lesson-quiz",
    },
    Task {
        prompt: "Write a quiz item about when the mine closed.\nLesson: ",
        text: "The copper mine of Drovny closed in 1962. Six hundred people lost their work. Today bats live in its tunnels.",
        message: "",
        suite: "lesson-quiz",
    },
    Task {
        prompt: "Reply to the customer. Format: Reply, Fact.\nFacts: ",
        text: "Batteries are guaranteed for 18 months. We ship on Tuesdays and Fridays. The workshop is in Graz.",
        message: "My battery died after a year. Is it still guaranteed?",
        suite: "support-reply",
    },
    Task {
        prompt: "Reply to the customer. Format: Reply, Fact.\nFacts: ",
        text: "Batteries are guaranteed for 18 months. We ship on Tuesdays and Fridays. The workshop is in Graz.",
        message: "On which days do you ship parcels? Order 55102.",
        suite: "support-reply",
    },
];
