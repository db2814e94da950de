//! Splits the value of `-f` into names, as pflag's `StringSlice` does: it is a line of CSV.

/// Splits one value at its commas. A name that contains a comma must be in double quotes. Inside the
/// quotes, a double quote is written twice. Only the first line that is not empty is read, as in pflag.
///
/// # Errors
/// The text of Go's `encoding/csv`, which kubectl shows after
/// `invalid argument "…" for "-f, --filename" flag: `.
pub fn split(value: &str) -> Result<Vec<String>, String> {
    if value.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader { rest: value, line: 0, first: 0, column: 1 };
    let mut line = reader.next_line();
    while line == Some("\n") {
        line = reader.next_line();
    }
    reader.first = reader.line;
    reader.read_record(line.ok_or("EOF")?)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    /// The first line of the record.
    first: usize,
    /// The column in bytes, from 1.
    column: usize,
}

impl<'a> Reader<'a> {
    /// The next line with its line break; `None` at the end.
    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.line += 1;
        self.column = 1;
        Some(line)
    }

    fn read_record(&mut self, mut line: &'a str) -> Result<Vec<String>, String> {
        let mut fields = Vec::new();
        loop {
            let (field, after) = match line.strip_prefix('"') {
                Some(quoted) => self.read_quoted_field(quoted)?,
                None => self.read_plain_field(line)?,
            };
            fields.push(field);
            match after {
                Some(after) => line = after,
                None => return Ok(fields),
            }
        }
    }

    /// Reads a field without quotes. Returns it and the rest of the line after its comma.
    fn read_plain_field(&mut self, line: &'a str) -> Result<(String, Option<&'a str>), String> {
        let (field, after) = match line.split_once(',') {
            Some((field, after)) => (field, Some(after)),
            None => (trim_line_break(line), None),
        };
        if let Some(at) = field.find('"') {
            return Err(self.error(self.column + at, "bare \" in non-quoted field"));
        }
        self.column += field.len() + 1;
        Ok((field.to_owned(), after))
    }

    /// Reads a field after its opening quote. Returns it and the rest of the line after its comma.
    fn read_quoted_field(
        &mut self,
        mut line: &'a str,
    ) -> Result<(String, Option<&'a str>), String> {
        const MISPLACED: &str = "extraneous or missing \" in quoted-field";
        let mut field = String::new();
        self.column += 1;
        loop {
            if let Some((text, after)) = line.split_once('"') {
                field.push_str(text);
                self.column += text.len() + 1;
                if let Some(after) = after.strip_prefix('"') {
                    field.push('"');
                    self.column += 1;
                    line = after;
                } else if let Some(after) = after.strip_prefix(',') {
                    self.column += 1;
                    return Ok((field, Some(after)));
                } else if trim_line_break(after).is_empty() {
                    return Ok((field, None));
                } else {
                    return Err(self.error(self.column - 1, MISPLACED));
                }
                continue;
            }
            field.push_str(&line.replace("\r\n", "\n"));
            self.column += line.len();
            match self.next_line() {
                Some(next) => line = next,
                None => return Err(self.error(self.column, MISPLACED)),
            }
        }
    }

    fn error(&self, column: usize, problem: &str) -> String {
        let record = match self.first == self.line {
            true => String::new(),
            false => format!("record on line {}; ", self.first),
        };
        format!("{record}parse error on line {}, column {column}: {problem}", self.line)
    }
}

fn trim_line_break(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_like_in_pflag() {
        for (value, expected) in [
            ("", &[] as &[&str]),
            (" ", &[" "]),
            ("a.yaml", &["a.yaml"]),
            ("a,b", &["a", "b"]),
            ("a,,b,", &["a", "", "b", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"a\"\"b\"", &["a\"b"]),
            ("\"\"", &[""]),
            ("a, b", &["a", " b"]),
            ("\na,b\nc", &["a", "b"]),
            ("\"a\nb\",c", &["a\nb", "c"]),
        ] {
            assert_eq!(split(value).unwrap(), expected, "{value:?}");
        }
    }

    #[test]
    fn misplaced_quotes_are_reported_with_gos_error() {
        let bare = "parse error on line 1, column 2: bare \" in non-quoted field";
        let misplaced = "parse error on line 1, column 3: extraneous or missing \" in quoted-field";
        for (value, expected) in [
            ("a\"b", bare),
            ("\"a", misplaced),
            ("\"a\"b", misplaced),
            ("\n", "EOF"),
            ("x,\"", "parse error on line 1, column 4: extraneous or missing \" in quoted-field"),
            (
                "\"a\nb",
                "record on line 1; parse error on line 2, column 2: extraneous or missing \" in \
                 quoted-field",
            ),
        ] {
            assert_eq!(split(value), Err(expected.to_owned()), "{value:?}");
        }
    }
}
