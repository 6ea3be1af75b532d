//! What the story is about: the texts that users bring, and the controllers on offer.

use crate::commands::epoch::Evaluate;

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
    /// The hole of the controllers that the text fills.
    pub hole: &'static str,
    pub text: &'static str,
    /// The suite whose controllers can do it.
    pub suite: &'static str,
}

/// None of these is a case of a suite.
pub const TASKS: [Task; 6] = [
    Task {
        prompt: "Write a quiz item about the deepest lake.\nLesson: ",
        hole: "lesson",
        text: "Lake Baikal lies in Siberia. It is the deepest lake on Earth. Its water is home to the nerpa, a small seal.",
        suite: "lesson-quiz",
    },
    Task {
        prompt: "Write a quiz item about the founder of the hospital.\nLesson: ",
        hole: "lesson",
        text: "The hospital of Quillmoor opened in 1887. It was founded by Theodora Wexley, a nurse. The garden was added much later.",
        suite: "lesson-quiz",
    },
    Task {
        prompt: "Write a quiz item about the oldest bridge.\nLesson: ",
        hole: "lesson",
        text: "Four bridges cross the Sernik. The oldest bridge is the Abbot bridge. The newest one carries only trains.",
        suite: "lesson-quiz",
    },
    Task {
        prompt: "Write a quiz item about when the mine closed.\nLesson: ",
        hole: "lesson",
        text: "The copper mine of Drovny closed in 1962. Six hundred people lost their work. Today bats live in its tunnels.",
        suite: "lesson-quiz",
    },
    Task {
        prompt: "Reply to the customer. Format: Reply, Fact.\nFacts: ",
        hole: "facts",
        text: "Batteries are guaranteed for 18 months. We ship on Tuesdays and Fridays. The workshop is in Graz.\nMessage: My battery died after a year. Is it still guaranteed?",
        suite: "support-reply",
    },
    Task {
        prompt: "Reply to the customer. Format: Reply, Fact.\nFacts: ",
        hole: "facts",
        text: "Batteries are guaranteed for 18 months. We ship on Tuesdays and Fridays. The workshop is in Graz.\nMessage: On which days do you ship parcels? Order 55102.",
        suite: "support-reply",
    },
];
