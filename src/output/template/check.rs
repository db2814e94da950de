//! What Go's parser refuses, found before gotmpl sees the template.

use super::lexer::{DEEPEST, Kind, Token, Wrong};

/// Go's functions and kubectl's.
const FUNCTIONS: [&str; 20] = [
    "and",
    "base64decode",
    "call",
    "eq",
    "exists",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
];

/// A block that is not yet at its end.
struct Block<'a> {
    keyword: &'a str,
    /// The variables that were known before it.
    variables: Vec<&'a str>,
    /// How deep it was before it.
    depth: usize,
}

struct Checker<'a> {
    /// Every `else if` counts as a block within the one before.
    depth: usize,
    blocks: Vec<Block<'a>>,
    variables: Vec<&'a str>,
}

/// Whether blocks are closed, and functions and variables are known.
///
/// # Errors
/// In the words of Go's parser.
pub fn check(tokens: &[Token<'_>], length: usize) -> Result<(), Wrong> {
    let mut checker = Checker { depth: 0, blocks: Vec::new(), variables: vec!["$"] };
    for action in tokens.split_inclusive(|token| token.kind == Kind::Close) {
        if let [_, words @ .., close] = action {
            checker.action(words, close)?;
        }
    }
    if checker.blocks.is_empty() { Ok(()) } else { Err(("unexpected EOF".to_owned(), length)) }
}

impl<'a> Checker<'a> {
    fn action(&mut self, words: &[Token<'a>], close: &Token<'a>) -> Result<(), Wrong> {
        let wrong = |what: String| Err((what, close.at));
        let Some((first, rest)) = words.split_first() else {
            return wrong("missing value for command".to_owned());
        };
        let keyword = if first.kind == Kind::Name { first.text } else { "" };
        match keyword {
            "end" | "else" if self.blocks.is_empty() => {
                wrong(format!("unexpected {{{{{keyword}}}}}"))
            }
            "end" => {
                if let Some(block) = self.blocks.pop() {
                    self.variables = block.variables;
                    self.depth = block.depth;
                }
                Ok(())
            }
            // `else if` and `else with` go on with the same block.
            "else" => match rest.split_first() {
                Some((_, rest)) => {
                    self.descend(close)?;
                    self.pipeline(rest)
                }
                None => Ok(()),
            },
            "if" | "range" | "with" if rest.is_empty() => {
                wrong(format!("missing value for {keyword}"))
            }
            "if" | "range" | "with" | "define" | "block" => {
                let variables = self.variables.clone();
                self.blocks.push(Block { keyword, variables, depth: self.depth });
                self.descend(close)?;
                match keyword {
                    "define" => self.variables = vec!["$"],
                    "block" => self.pipeline(rest)?,
                    _ => return self.pipeline(rest),
                }
                self.variables = vec!["$"];
                Ok(())
            }
            "break" | "continue" => {
                match self.blocks.iter().any(|block| block.keyword == "range") {
                    true => Ok(()),
                    false => wrong(format!("{{{{{keyword}}}}} outside {{{{range}}}}")),
                }
            }
            "template" => match rest.first().unwrap_or(close) {
                name if name.kind == Kind::Literal => self.pipeline(&rest[1..]),
                other => Err((
                    format!("unexpected {} in template clause", crate::text::go::quote(other.text)),
                    other.at,
                )),
            },
            _ => self.pipeline(words),
        }
    }

    fn descend(&mut self, at: &Token<'_>) -> Result<(), Wrong> {
        self.depth += 1;
        match self.depth {
            ..=DEEPEST => Ok(()),
            _ => Err(("too many blocks within blocks".to_owned(), at.at)),
        }
    }

    fn pipeline(&mut self, words: &[Token<'a>]) -> Result<(), Wrong> {
        let declared = words.iter().position(|word| word.text == ":=" && word.kind == Kind::Mark);
        for (at, word) in words.iter().enumerate() {
            let is_declared = declared.is_some_and(|declared| at < declared);
            let is_known = |names: &[&str]| names.contains(&word.text);
            let what = match word.kind {
                Kind::Variable if is_declared => continue,
                Kind::Variable if !is_known(&self.variables) => {
                    format!("undefined variable {}", crate::text::go::quote(word.text))
                }
                Kind::Name
                    if !is_known(&FUNCTIONS)
                        && !matches!(word.text, "true" | "false" | "nil" | "urlquery") =>
                {
                    format!("function {} not defined", crate::text::go::quote(word.text))
                }
                Kind::Dot if word.is_joined && follows_operand(words, at) => {
                    "unexpected <.> in operand".to_owned()
                }
                Kind::Other => {
                    format!("unexpected {} in command", crate::text::go::quote(word.text))
                }
                _ => continue,
            };
            return Err((what, word.at));
        }
        let names = words.iter().take(declared.unwrap_or(0));
        self.variables.extend(names.filter(|w| w.kind == Kind::Variable).map(|w| w.text));
        Ok(())
    }
}

fn follows_operand(words: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| words.get(before));
    before.is_some_and(|word| matches!(word.kind, Kind::Dot | Kind::Field | Kind::Variable))
}
