//! Finds the errors of Go's parser, before gotmpl parses the template.

use super::lexer::{MAX_DEPTH, SyntaxError, Token, TokenKind};

/// The functions of Go and of kubectl.
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

/// A block without its `end` yet.
struct Block<'a> {
    keyword: &'a str,
    /// The variables that are known before the block.
    variables: Vec<&'a str>,
    /// The nesting depth before the block.
    depth: usize,
}

struct Checker<'a> {
    /// The nesting depth. Each `else if` counts as a block inside the one before.
    depth: usize,
    blocks: Vec<Block<'a>>,
    variables: Vec<&'a str>,
}

/// Checks that all blocks are closed, and that all functions and variables are known.
///
/// # Errors
/// In the words of Go's parser.
pub fn check(tokens: &[Token<'_>], length: usize) -> Result<(), SyntaxError> {
    let mut checker = Checker { depth: 0, blocks: Vec::new(), variables: vec!["$"] };
    for action in tokens.split_inclusive(|token| token.kind == TokenKind::Close) {
        if let [_, words @ .., close] = action {
            checker.action(words, close)?;
        }
    }
    if checker.blocks.is_empty() { Ok(()) } else { Err(("unexpected EOF".to_owned(), length)) }
}

impl<'a> Checker<'a> {
    fn action(&mut self, words: &[Token<'a>], close: &Token<'a>) -> Result<(), SyntaxError> {
        let wrong = |what: String| Err((what, close.at));
        let Some((first, rest)) = words.split_first() else {
            return wrong("missing value for command".to_owned());
        };
        let keyword = if first.kind == TokenKind::Name { first.text } else { "" };
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
            // `else if` and `else with` continue the same block.
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
                name if name.kind == TokenKind::Literal => self.pipeline(&rest[1..]),
                other => Err((
                    format!("unexpected {} in template clause", crate::text::go::quote(other.text)),
                    other.at,
                )),
            },
            _ => self.pipeline(words),
        }
    }

    fn descend(&mut self, at: &Token<'_>) -> Result<(), SyntaxError> {
        self.depth += 1;
        match self.depth {
            ..=MAX_DEPTH => Ok(()),
            _ => Err(("blocks are nested too deeply".to_owned(), at.at)),
        }
    }

    fn pipeline(&mut self, words: &[Token<'a>]) -> Result<(), SyntaxError> {
        let declared =
            words.iter().position(|word| word.text == ":=" && word.kind == TokenKind::Mark);
        for (at, word) in words.iter().enumerate() {
            let is_declared = declared.is_some_and(|declared| at < declared);
            let is_known = |names: &[&str]| names.contains(&word.text);
            let what = match word.kind {
                TokenKind::Variable if is_declared => continue,
                TokenKind::Variable if !is_known(&self.variables) => {
                    format!("undefined variable {}", crate::text::go::quote(word.text))
                }
                TokenKind::Name
                    if !is_known(&FUNCTIONS)
                        && !matches!(word.text, "true" | "false" | "nil" | "urlquery") =>
                {
                    format!("function {} not defined", crate::text::go::quote(word.text))
                }
                TokenKind::Dot if word.is_joined && follows_operand(words, at) => {
                    "unexpected <.> in operand".to_owned()
                }
                TokenKind::Other => {
                    format!("unexpected {} in command", crate::text::go::quote(word.text))
                }
                _ => continue,
            };
            return Err((what, word.at));
        }
        let names = words.iter().take(declared.unwrap_or(0));
        self.variables.extend(names.filter(|w| w.kind == TokenKind::Variable).map(|w| w.text));
        Ok(())
    }
}

fn follows_operand(words: &[Token<'_>], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| words.get(before));
    before.is_some_and(|word| {
        matches!(word.kind, TokenKind::Dot | TokenKind::Field | TokenKind::Variable)
    })
}
