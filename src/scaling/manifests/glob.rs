//! Patterns in file names, as in Go's `filepath.Match` and `filepath.Glob`.

use std::path::{Path, PathBuf};

use super::join::join;

/// Go's `filepath.ErrBadPattern`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadPattern;

/// Maximum number of separators in a pattern, as in Go. Each is a level of recursion.
const MAX_SEPARATORS: usize = 1_000;

/// The paths that match, in lexical order within each directory. A directory that cannot be read has
/// no matches.
pub(super) fn glob(pattern: &str) -> Result<Vec<PathBuf>, BadPattern> {
    if pattern.matches('/').count() > MAX_SEPARATORS {
        return Err(BadPattern);
    }
    is_match(pattern, "")?;
    if !has_meta(pattern) {
        let path = PathBuf::from(pattern);
        return Ok(path.symlink_metadata().is_ok().then_some(path).into_iter().collect());
    }
    let (directory, name) = pattern.rsplit_once('/').map_or(("", pattern), |(directory, name)| {
        (if directory.is_empty() { "/" } else { directory }, name)
    });
    let directories = match has_meta(directory) {
        true => glob(directory)?,
        false => vec![PathBuf::from(directory)],
    };
    let mut found = Vec::new();
    for directory in directories {
        found.append(&mut matches_in(&directory, name)?);
    }
    Ok(found)
}

fn has_meta(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

fn matches_in(directory: &Path, pattern: &str) -> Result<Vec<PathBuf>, BadPattern> {
    let folder = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(entries) = folder.read_dir() else { return Ok(Vec::new()) };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let mut found = Vec::new();
    for name in names {
        if is_match(pattern, &name.to_string_lossy())? {
            found.push(join(directory, &name));
        }
    }
    Ok(found)
}

/// True if the pattern matches the whole name. The pattern is checked to its end, even if the result
/// is clear earlier.
fn is_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut pattern, mut name) = (pattern.as_slice(), name.as_slice());
    'chunks: while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&'/'));
        }
        // Go takes the first place where a chunk fits, because a later place leaves less of the name.
        let fits = |after: &[char]| after.is_empty() || !pattern.is_empty();
        if let Some(after) = match_chunk(chunk, name)?.filter(|after| fits(after)) {
            name = after;
            continue;
        }
        if star {
            for skipped in 1..=name.iter().take_while(|c| **c != '/').count() {
                if let Some(after) = match_chunk(chunk, &name[skipped..])?.filter(|a| fits(a)) {
                    name = after;
                    continue 'chunks;
                }
            }
        }
        while !pattern.is_empty() {
            let (_, chunk, rest) = next_chunk(pattern);
            match_chunk(chunk, &[])?;
            pattern = rest;
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// True if the pattern begins with stars; the text after them up to the next star; and the rest.
fn next_chunk(pattern: &[char]) -> (bool, &[char], &[char]) {
    let stars = pattern.iter().take_while(|c| **c == '*').count();
    let pattern = &pattern[stars..];
    let (mut at, mut in_class) = (0, false);
    while at < pattern.len() {
        match pattern[at] {
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    let (chunk, rest) = pattern.split_at(at.min(pattern.len()));
    (stars > 0, chunk, rest)
}

/// The rest of `name` after the chunk; `None` if the chunk does not match.
fn match_chunk<'a>(mut chunk: &[char], name: &'a [char]) -> Result<Option<&'a [char]>, BadPattern> {
    let mut left = Some(name);
    while let Some((first, rest)) = chunk.split_first() {
        let taken = left.and_then(<[char]>::split_first);
        left = match first {
            '[' => {
                let (class, after) = Class::parse(rest)?;
                chunk = after;
                taken.filter(|(c, _)| class.has(**c)).map(|(_, after)| after)
            }
            '?' => {
                chunk = rest;
                taken.filter(|(c, _)| **c != '/').map(|(_, after)| after)
            }
            literal => {
                let (literal, after) = match literal {
                    '\\' => rest.split_first().ok_or(BadPattern)?,
                    literal => (literal, rest),
                };
                chunk = after;
                taken.filter(|(c, _)| *c == literal).map(|(_, after)| after)
            }
        };
    }
    Ok(left)
}

struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    /// Reads a class after its `[`. Returns it and the text after its `]`.
    fn parse(text: &[char]) -> Result<(Self, &[char]), BadPattern> {
        let (negated, mut text) = match text {
            ['^', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let mut ranges = Vec::new();
        loop {
            if let (Some((']', rest)), false) = (text.split_first(), ranges.is_empty()) {
                return Ok((Self { negated, ranges }, rest));
            }
            let (low, rest) = Self::bound(text)?;
            let (high, rest) = match rest {
                ['-', rest @ ..] => Self::bound(rest)?,
                _ => (low, rest),
            };
            ranges.push((low, high));
            text = rest;
        }
    }

    /// Reads a character, possibly escaped. Another character must follow.
    fn bound(text: &[char]) -> Result<(char, &[char]), BadPattern> {
        let text = match text {
            [] | ['-' | ']', ..] => return Err(BadPattern),
            ['\\', rest @ ..] => rest,
            _ => text,
        };
        match text {
            [] | [_] => Err(BadPattern),
            [bound, rest @ ..] => Ok((*bound, rest)),
        }
    }

    fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table is that of Go's `path/filepath/match_test.go`.
    #[test]
    fn patterns_match_like_in_go() {
        for (pattern, name, expected) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "a", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Ok(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", Ok(false)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Ok(false)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[b-d]", "abc", Ok(true)),
            ("ab[e-g]", "abc", Ok(false)),
            ("ab[^c]", "abc", Ok(false)),
            ("ab[^e-g]", "abc", Ok(true)),
            ("a\\*b", "a*b", Ok(true)),
            ("a\\*b", "ab", Ok(false)),
            ("a?b", "a☺b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("[a-ζ]*", "α", Ok(true)),
            ("*[a-ζ]", "A", Ok(false)),
            ("a?b", "a/b", Ok(false)),
            ("a*b", "a/b", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[\\-x]", "-", Ok(true)),
            ("[x\\-]", "z", Ok(false)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-]", "-", Err(BadPattern)),
            ("[x-]", "x", Err(BadPattern)),
            ("[-x]", "x", Err(BadPattern)),
            ("\\", "a", Err(BadPattern)),
            ("[a-b-c]", "a", Err(BadPattern)),
            ("[", "a", Err(BadPattern)),
            ("[^", "a", Err(BadPattern)),
            ("[^bc", "a", Err(BadPattern)),
            ("a[", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("a[", "x", Err(BadPattern)),
            ("a/b[", "x", Err(BadPattern)),
            ("*x", "xxx", Ok(true)),
        ] {
            assert_eq!(is_match(pattern, name), expected, "{pattern} {name}");
        }
    }
}
