//! Names of tools: clients take letters, digits, `_` and `-`, while a function's name has a slash
//! and may have dots.

use std::fmt::Write;

/// `ada/sentiment` as `ada__sentiment`. An underscore is `_u`, a dot `_d`, so that no two functions
/// are one tool.
pub fn of_function(name: &str) -> String {
    let mut tool = String::new();
    for letter in name.chars() {
        match letter {
            '/' => tool.push_str("__"),
            '_' => tool.push_str("_u"),
            '.' => tool.push_str("_d"),
            letter if letter.is_ascii_alphanumeric() || letter == '-' => tool.push(letter),
            // No name has any other letter. Writing to a String cannot fail.
            letter => drop(write!(tool, "_x{:x}_", u32::from(letter))),
        }
    }
    tool
}

/// The function of a tool; `None` of what is no tool's name.
pub fn of_tool(tool: &str) -> Option<String> {
    let mut name = String::new();
    let mut letters = tool.chars();
    while let Some(letter) = letters.next() {
        name.push(match letter {
            '_' => match letters.next()? {
                '_' => '/',
                'u' => '_',
                'd' => '.',
                _ => return None,
            },
            letter => letter,
        });
    }
    (name.matches('/').count() == 1).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_one_tool_and_back() {
        for (name, tool) in [
            ("ada/sentiment", "ada__sentiment"),
            ("ada/my_fn.v2", "ada__my_ufn_dv2"),
            ("a_/b", "a_u__b"),
            ("a/_b", "a___ub"),
        ] {
            assert_eq!(of_function(name), tool);
            assert_eq!(of_tool(tool).as_deref(), Some(name));
        }
        for no_tool in ["ada", "ada_", "ada_x", "a__b__c", ""] {
            assert_eq!(of_tool(no_tool), None, "{no_tool}");
        }
    }
}
