//! One row of the table: an invocation, its environment, and what kubectl does.

use std::collections::BTreeMap;

use locustctl::sandbox::Fault;

use crate::difference::Difference;

/// An invocation and the expectations about it.
pub struct Row {
    /// The arguments after `scale`, quoted as in a shell. `{server}`, `{dir}` and `{version}` are
    /// placeholders.
    pub args: &'static str,
    pub environment: Environment,
    /// The result of kubectl 1.36.
    pub kubectl: Ending,
    /// The kubectls that do the same, but with other texts.
    pub older: Older,
    /// An intended difference, and locustctl's result.
    pub locustctl: Option<(Difference, Ending)>,
}

/// The environment of a row, in addition to the world of all rows.
#[derive(Default)]
pub struct Environment {
    /// Distinguishes rows with the same arguments.
    pub about: &'static str,
    pub stdin: &'static str,
    pub files: Vec<(&'static str, &'static str)>,
    pub env: Vec<(&'static str, &'static str)>,
    /// `PLURAL/NAME`, its replicas, and its labels.
    pub objects: Vec<(&'static str, i64, &'static str)>,
    pub faults: Vec<Fault>,
    /// True if pods come and go.
    pub with_controllers: bool,
}

/// The kubectls with texts that differ from those of 1.36.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Older {
    Same,
    /// Vendors' builds that print errors about flags in their own way.
    Vendor,
    /// Releases in which `error: no objects passed to scale` came before all errors about the
    /// objects.
    Before35,
    /// Releases that did not know `kyaml`.
    Before34,
    /// Releases that print objects with the old count.
    Before36,
}

/// The result of a run, and its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub code: i32,
    pub stdout: Text,
    pub stderr: Text,
    /// New replica count per changed object `PLURAL/NAME`.
    pub replicas: BTreeMap<String, i64>,
    /// New change-cause annotation per changed object `PLURAL/NAME`.
    pub change_causes: BTreeMap<String, String>,
}

/// The expected content of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Exactly(String),
    /// A text that is too long for the table. It must contain this, and be equal for both programs.
    Containing(&'static str),
}

impl Text {
    fn line(text: &str) -> Self {
        Self::Exactly(if text.is_empty() { String::new() } else { format!("{text}\n") })
    }

    pub fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exactly(expected) => expected == text,
            Self::Containing(part) => text.contains(part),
        }
    }
}

pub fn row(args: &'static str, kubectl: Ending) -> Row {
    Row { args, environment: Environment::default(), kubectl, older: Older::Same, locustctl: None }
}

/// Exit code 0, and these lines on stdout.
pub fn prints(stdout: &str) -> Ending {
    ends(0, stdout, "")
}

/// Exit code 1, no change, and these lines on stderr.
pub fn refuses(stderr: &str) -> Ending {
    ends(1, "", stderr)
}

/// These lines on both streams.
pub fn ends(code: i32, stdout: &str, stderr: &str) -> Ending {
    Ending {
        code,
        stdout: Text::line(stdout),
        stderr: Text::line(stderr),
        replicas: BTreeMap::new(),
        change_causes: BTreeMap::new(),
    }
}

impl Ending {
    /// `PLURAL/NAME=COUNT …`
    pub fn scales(mut self, changes: &str) -> Self {
        self.replicas = changes
            .split_whitespace()
            .map(|change| change.split_once('=').expect("PLURAL/NAME=COUNT"))
            .map(|(object, count)| (object.to_owned(), count.parse().expect("a count")))
            .collect();
        self
    }

    pub fn records(mut self, object: &str, cause: &str) -> Self {
        self.change_causes.insert(object.to_owned(), cause.to_owned());
        self
    }

    /// The line has no line break at the end.
    pub fn unbroken(mut self) -> Self {
        if let Text::Exactly(text) = &mut self.stdout {
            text.truncate(text.trim_end_matches('\n').len());
        }
        self
    }

    /// Stdout has more than this.
    pub fn having(mut self, part: &'static str) -> Self {
        self.stdout = Text::Containing(part);
        self
    }

    /// Stderr has more than this.
    pub fn complaining(mut self, part: &'static str) -> Self {
        self.stderr = Text::Containing(part);
        self
    }
}

impl Row {
    pub fn name(&self) -> String {
        let Environment { about, .. } = self.environment;
        let about = if about.is_empty() { String::new() } else { format!(" [{about}]") };
        format!("scale {}{about}", self.args)
    }

    pub fn older(self, older: Older) -> Self {
        Self { older, ..self }
    }

    pub fn differs(self, difference: Difference, locustctl: Ending) -> Self {
        Self { locustctl: Some((difference, locustctl)), ..self }
    }

    pub fn about(mut self, about: &'static str) -> Self {
        self.environment.about = about;
        self
    }

    pub fn stdin(mut self, text: &'static str) -> Self {
        self.environment.stdin = text;
        self
    }

    /// A name that ends in `/` creates a directory.
    pub fn file(mut self, name: &'static str, content: &'static str) -> Self {
        self.environment.files.push((name, content));
        self
    }

    pub fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.env.push((name, value));
        self
    }

    pub fn with(mut self, object: &'static str, replicas: i64, labels: &'static str) -> Self {
        self.environment.objects.push((object, replicas, labels));
        self
    }

    pub fn fault(mut self, fault: Fault) -> Self {
        self.environment.faults.push(fault);
        self
    }

    pub fn with_controllers(mut self) -> Self {
        self.environment.with_controllers = true;
        self
    }
}
