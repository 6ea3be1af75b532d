use crate::Guest;

/// A guest that tries something, and what its request ends with.
#[derive(Clone, Copy, Debug)]
pub struct Hostile {
    /// What it tries.
    pub tries: &'static str,
    /// The guest.
    pub guest: Guest<'static>,
    /// The name of the fault; or how it ends, where what it tries does no harm.
    pub ends: &'static str,
}

const fn stepping(tries: &'static str, step: &'static str, ends: &'static str) -> Hostile {
    let guest = Guest::stepping(step);
    Hostile { tries, guest, ends }
}

/// A session that is over, but for its last word.
const fn ending(tries: &'static str, finish: &'static str, ends: &'static str) -> Hostile {
    let guest = Guest {
        finish,
        ..Guest::stepping("(call $stop)")
    };
    Hostile { tries, guest, ends }
}

/// A segment under a grammar; where there is no such grammar it is told so, and insists.
const fn under(
    tries: &'static str,
    text: &'static str,
    step: &'static str,
    ends: &'static str,
) -> Hostile {
    let guest = Guest {
        text,
        ..Guest::stepping(step)
    };
    Hostile { tries, guest, ends }
}

/// Compiles the text up to the first NUL behind it.
const REGEX: &str = "(call $regex (i32.const 256) (call $length (i32.const 256)) (i32.const 2048))
    (call $obeying)";
const LARK: &str = "(call $lark (i32.const 256) (call $length (i32.const 256)) (i32.const 2048))
    (call $obeying)";

const SCHEMA: &str = "(call $schema (i32.const 256) (call $length (i32.const 256)) (i32.const 0)
    (i32.const 0) (i32.const 2048)) (call $obeying)";

const FOREVER: &str = "(loop $l (br $l))";

/// Six patterns, seven times over.
const EXPLODING: &str = "{\\22$defs\\22:{\\22a\\22:{\\22anyOf\\22:[{\\22pattern\\22:\\22a\\22},{\\22pattern\\22:\\22b\\22},{\\22pattern\\22:\\22c\\22},{\\22pattern\\22:\\22d\\22},{\\22pattern\\22:\\22e\\22},{\\22pattern\\22:\\22f\\22}]}},\\22allOf\\22:[{\\22$ref\\22:\\22#/$defs/a\\22},{\\22$ref\\22:\\22#/$defs/a\\22},{\\22$ref\\22:\\22#/$defs/a\\22},{\\22$ref\\22:\\22#/$defs/a\\22},{\\22$ref\\22:\\22#/$defs/a\\22},{\\22$ref\\22:\\22#/$defs/a\\22},{\\22$ref\\22:\\22#/$defs/a\\22}]}";

/// What strangers try in whole sessions: the model is asked with up to two branches, and what they
/// have may be taken back. The model chooses without chance.
pub const HOSTILE: &[Hostile] = &[
    Hostile {
        tries: "an endless start",
        guest: Guest {
            start: FOREVER,
            ..Guest::stepping("")
        },
        ends: "fuel_exhausted",
    },
    stepping("an endless step", FOREVER, "fuel_exhausted"),
    stepping(
        "an endless step after a token",
        "(call $any (i32.const 1))
         (if (i32.gt_u (global.get $steps) (i32.const 1)) (then (loop $l (br $l))))",
        "fuel_exhausted",
    ),
    stepping(
        "steps that are late",
        "(call $compute (i32.const 1000000)) (call $any (i32.const 1))",
        "late",
    ),
    stepping(
        "a memory bomb",
        "(loop $l (drop (memory.grow (i32.const 16))) (br $l))",
        "memory_full",
    ),
    stepping(
        "10,000 branches",
        "(call $fork (i32.const 10000))",
        "branches_too_many",
    ),
    stepping(
        "a variable bomb",
        "(loop $l (call $append (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 60000) (i32.const 2048)) (br $l))",
        "variables_full",
    ),
    stepping(
        "a flood of the log",
        "(loop $l (call $log (i32.const 1) (i32.const 0) (i32.const 60000)) (br $l))",
        "log_full",
    ),
    stepping(
        "a flood of handles",
        "(loop $l (drop (call $all)) (br $l))",
        "handles_too_many",
    ),
    stepping(
        "a mask of the wrong length",
        "(call $bits (i32.const 0) (i32.const 1) (i32.const 2048)) (call $stop)",
        "mask_length",
    ),
    stepping(
        "a set with a token that there is not",
        "(i32.store (i32.const 4096) (i32.const 99999999))
         (call $tokens (i32.const 4096) (i32.const 1) (i32.const 2048)) (call $stop)",
        "token_unknown",
    ),
    stepping(
        "an edit with a token that there is not",
        "(i32.store (i32.const 4096) (i32.const 99999999))
         (call $edit (i32.const 0) (i32.const 4096) (i32.const 1))",
        "token_unknown",
    ),
    stepping(
        "taking back the prompt",
        "(call $any (i32.const 1))
         (if (i32.gt_u (global.get $steps) (i32.const 1)) (then (call $backtrack (i32.const 2))))",
        "backtrack_too_far",
    ),
    stepping(
        "taking back what was sent",
        "(call $commit) (call $any (i32.const 1))
         (if (i32.gt_u (global.get $steps) (i32.const 2)) (then (call $backtrack (i32.const 2))))",
        "backtrack_too_far",
    ),
    stepping(
        "taking back for ever",
        "(if (i32.and (global.get $steps) (i32.const 1))
           (then (call $any (i32.const 1))) (else (call $backtrack (i32.const 1))))",
        "rewind_repeated",
    ),
    stepping(
        "decisions without end",
        "(call $backtrack (i32.const 0))",
        "stalled",
    ),
    stepping("waiting for nobody", "(call $wait)", "deadlock"),
    stepping(
        "branches that wait for each other",
        "(if (local.get $why) (then (call $wait)) (else (call $fork (i32.const 1))))",
        "deadlock",
    ),
    under(
        "a regular expression of exponentially many states",
        "(a|b)*a(a|b){40}",
        REGEX,
        "Stop",
    ),
    under(
        "a schema that is only itself",
        "start: %json {\\22$ref\\22: \\22#\\22}",
        LARK,
        "trap",
    ),
    under(
        "a grammar that forces 100,000 letters",
        "start: \\22a\\22{100000}",
        LARK,
        "grammar_too_costly",
    ),
    under(
        "a grammar that forces letters for ever",
        "start: \\22a\\22 start",
        LARK,
        "grammar_too_costly",
    ),
    under(
        "a schema that explodes",
        EXPLODING,
        SCHEMA,
        "grammar_too_costly",
    ),
    under(
        "a grammar that takes too long to compile",
        "start: A\\nA: /(.*(ab|ba|aa).*){15}/ & /(.*(bc|cb).*){15}/ & /(.*(ca|cc).*){15}/ & /.{0,400}/ & ~/(.*abc.*){9}/",
        LARK,
        "grammar_too_costly",
    ),
    under(
        "a grammar whose first tokens cost too much",
        "start: A\\nA: /(.*a.*){60}/ & /(.*b.*){60}/ & /(.*c.*){60}/ & ~/(.*d.*){60}/",
        LARK,
        "grammar_too_costly",
    ),
    stepping(
        "a pointer outside its memory",
        "(call $log (i32.const 1) (i32.const -8) (i32.const 64))",
        "trap",
    ),
    stepping("a trap", "unreachable", "trap"),
    ending("a trap at the end", "unreachable", "trap"),
    ending("an endless last word", FOREVER, "fuel_exhausted"),
    ending(
        "a flood of the log at the end",
        "(loop $l (call $log (i32.const 1) (i32.const 0) (i32.const 60000)) (br $l))",
        "log_full",
    ),
    ending(
        "a last word that is no JSON",
        "(i32.store8 (i32.const 40) (i32.const 33))",
        "result_invalid",
    ),
    ending(
        "a last word that is no text",
        "(i32.store8 (i32.const 40) (i32.const 255))",
        "trap",
    ),
    ending(
        "a last word of 300,000 bytes",
        "(drop (memory.grow (i32.const 8)))
         (i32.store (i32.const 1024) (i32.const 131072))
         (i32.store (i32.const 1028) (i32.const 300000))
         (return (i32.const 1024))",
        "result_invalid",
    ),
    ending(
        "a last word of 2,000,000 bytes",
        "(drop (memory.grow (i32.const 40)))
         (i32.store (i32.const 1024) (i32.const 131072))
         (i32.store (i32.const 1028) (i32.const 2000000))
         (return (i32.const 1024))",
        "trap",
    ),
    ending(
        "a last word beyond its memory",
        "(i32.store (i32.const 1024) (i32.const -16))
         (i32.store (i32.const 1028) (i32.const 300))
         (return (i32.const 1024))",
        "trap",
    ),
];
