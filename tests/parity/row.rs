//! One row of the table: an invocation, its surroundings, and what kubectl makes of it.

use std::collections::BTreeMap;

use locustctl::sandbox::Fault;

use crate::difference::Difference;

/// An invocation and what is expected of it.
pub struct Row {
    /// What comes after `scale`, in a shell's quoting. `{server}`, `{dir}` and `{version}` are filled in.
    pub args: &'static str,
    pub around: Around,
    /// What vanilla kubectl 1.36 does.
    pub kubectl: Ending,
    /// Kubectls that end in the same way, but say it in other words.
    pub older: Older,
    /// Where we mean to differ: how, and what we do instead.
    pub ours: Option<(Difference, Ending)>,
}

/// What a row needs besides the world that all have.
#[derive(Default)]
pub struct Around {
    /// Tells rows with the same arguments apart.
    pub about: &'static str,
    pub stdin: &'static str,
    pub files: Vec<(&'static str, &'static str)>,
    pub env: Vec<(&'static str, &'static str)>,
    /// `PLURAL/NAME`, its replicas, its labels.
    pub objects: Vec<(&'static str, i64, &'static str)>,
    pub faults: Vec<Fault>,
    /// Whether pods come and go.
    pub with_controllers: bool,
}

/// Which kubectls put it into other words than 1.36.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Older {
    Same,
    /// Vendors' builds that print the errors of flags in their own way.
    Vendor,
    /// `error: no objects passed to scale` came before every error of finding the objects.
    Before35,
    /// `kyaml` was not known.
    Before34,
    /// Printed objects had the old count.
    Before36,
}

/// How a run ended, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub code: i32,
    pub stdout: Text,
    pub stderr: Text,
    /// `PLURAL/NAME` and its new count.
    pub scaled: BTreeMap<String, i64>,
    /// `PLURAL/NAME` and its new change-cause.
    pub causes: BTreeMap<String, String>,
}

/// What a stream must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    Exactly(String),
    /// Too long for the table: this somewhere in it, and the same from both programs.
    Having(&'static str),
}

impl Text {
    fn line(text: &str) -> Self {
        Self::Exactly(if text.is_empty() { String::new() } else { format!("{text}\n") })
    }

    pub fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exactly(expected) => expected == text,
            Self::Having(part) => text.contains(part),
        }
    }
}

pub fn row(args: &'static str, kubectl: Ending) -> Row {
    Row { args, around: Around::default(), kubectl, older: Older::Same, ours: None }
}

/// Exit 0, and these lines on stdout.
pub fn prints(stdout: &str) -> Ending {
    ends(0, stdout, "")
}

/// Exit 1, nothing done, and these lines on stderr.
pub fn refuses(stderr: &str) -> Ending {
    ends(1, "", stderr)
}

/// Lines on both streams.
pub fn ends(code: i32, stdout: &str, stderr: &str) -> Ending {
    Ending {
        code,
        stdout: Text::line(stdout),
        stderr: Text::line(stderr),
        scaled: BTreeMap::new(),
        causes: BTreeMap::new(),
    }
}

impl Ending {
    /// `PLURAL/NAME=COUNT …`
    pub fn scales(mut self, changes: &str) -> Self {
        self.scaled = changes
            .split_whitespace()
            .map(|change| change.split_once('=').expect("PLURAL/NAME=COUNT"))
            .map(|(object, count)| (object.to_owned(), count.parse().expect("a count")))
            .collect();
        self
    }

    pub fn records(mut self, object: &str, cause: &str) -> Self {
        self.causes.insert(object.to_owned(), cause.to_owned());
        self
    }

    /// Without the line break at the end.
    pub fn unbroken(mut self) -> Self {
        if let Text::Exactly(text) = &mut self.stdout {
            text.truncate(text.trim_end_matches('\n').len());
        }
        self
    }

    /// Stdout is longer than this.
    pub fn having(mut self, part: &'static str) -> Self {
        self.stdout = Text::Having(part);
        self
    }

    /// Stderr is longer than this.
    pub fn complaining(mut self, part: &'static str) -> Self {
        self.stderr = Text::Having(part);
        self
    }
}

impl Row {
    pub fn name(&self) -> String {
        let Around { about, .. } = self.around;
        let about = if about.is_empty() { String::new() } else { format!(" [{about}]") };
        format!("scale {}{about}", self.args)
    }

    pub fn older(self, older: Older) -> Self {
        Self { older, ..self }
    }

    pub fn differs(self, difference: Difference, ours: Ending) -> Self {
        Self { ours: Some((difference, ours)), ..self }
    }

    pub fn about(mut self, about: &'static str) -> Self {
        self.around.about = about;
        self
    }

    pub fn stdin(mut self, text: &'static str) -> Self {
        self.around.stdin = text;
        self
    }

    /// A name that ends in `/` is a directory's.
    pub fn file(mut self, name: &'static str, content: &'static str) -> Self {
        self.around.files.push((name, content));
        self
    }

    pub fn env(mut self, name: &'static str, value: &'static str) -> Self {
        self.around.env.push((name, value));
        self
    }

    pub fn with(mut self, object: &'static str, replicas: i64, labels: &'static str) -> Self {
        self.around.objects.push((object, replicas, labels));
        self
    }

    pub fn fault(mut self, fault: Fault) -> Self {
        self.around.faults.push(fault);
        self
    }

    pub fn with_controllers(mut self) -> Self {
        self.around.with_controllers = true;
        self
    }
}
