//! A command line that is still being typed.

use std::ffi::OsString;

use clap::{ArgMatches, FromArgMatches};

use super::canonical::{canonical, joined};
use super::global::GlobalArgs;
use super::{grammar, preferences};
use crate::cluster::kuberc::PluginPolicy;

/// The words before the cursor, and the flags and arguments parsed from them.
pub struct PartialLine {
    /// The words in canonical order, with the program's name first. Each flag and its value are one
    /// word, so that no value is mistaken for a subcommand. A flag that still lacks its value is the
    /// last word.
    pub words: Vec<OsString>,
    /// The parsed flags and arguments. `None` if the words are invalid.
    matches: Option<ArgMatches>,
    plugin_policy: PluginPolicy,
}

impl PartialLine {
    /// Parses the words as [`super::Cli::read`] does, and applies the user's kuberc. `argv` starts with
    /// the program's name.
    pub fn read(argv: Vec<OsString>) -> Self {
        let mut command = grammar::whole().subcommand_required(false).arg_required_else_help(false);
        let (mut words, is_open) = joined(&command, canonical(&command, argv));
        let complete = words[..words.len() - usize::from(is_open)].to_vec();
        let Ok(applied) = preferences::apply(&command, complete, "locustctl") else {
            return Self { words, matches: None, plugin_policy: PluginPolicy::default() };
        };
        if applied.alias.is_some()
            && let [_, typed, ..] = words.as_mut_slice()
        {
            applied.argv[1].clone_into(typed);
        }
        let matches = command.try_get_matches_from_mut(applied.argv).ok();
        Self { words, matches, plugin_policy: applied.plugin_policy }
    }

    /// The global flags. `None` if the words are invalid.
    pub fn global(&self) -> Option<GlobalArgs> {
        let matches = self.matches.as_ref()?;
        let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
        let mut global = GlobalArgs::from_arg_matches(matches).ok()?;
        global.plugin_policy = self.plugin_policy.clone();
        Some(global)
    }

    /// The targets that are typed so far. `None` if the words are invalid.
    pub fn targets(&self) -> Option<Vec<String>> {
        let (_, matches) = self.matches.as_ref()?.subcommand()?;
        let of = |id| matches.try_get_many::<String>(id).ok().flatten();
        let typed = of("targets").or_else(|| of("target"));
        Some(typed.into_iter().flatten().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> PartialLine {
        let words = std::iter::once("locustctl").chain(line.split_whitespace());
        // Ignores the kuberc of this machine.
        let words = words.chain(["--kuberc=/dev/null"]);
        PartialLine::read(words.map(OsString::from).collect())
    }

    #[test]
    fn an_incomplete_line_is_parsed() {
        for (line, context, targets) in [
            ("scale --context a deploy/b", Some("a"), "deploy/b"),
            ("--context scale scale deploy b", Some("scale"), "deploy b"),
            ("--context status", Some("status"), ""),
            ("--replicas 3 scale deploy/a deploy/b", None, "deploy/a deploy/b"),
            ("resize deploy", None, "deploy"),
            ("status --context=c sts/d", Some("c"), "sts/d"),
            ("sandbox", None, ""),
        ] {
            let partial = read(line);
            let global = partial.global().unwrap_or_else(|| panic!("{line} is invalid"));
            assert_eq!(global.context.as_deref(), context, "{line}");
            assert_eq!(partial.targets().unwrap_or_default().join(" "), targets, "{line}");
        }
    }

    #[test]
    fn an_invalid_line_has_no_flags_and_no_targets() {
        for line in ["scale --bogus", "scale --replicas=x deploy", "nonsense", "scale --help"] {
            let partial = read(line);
            assert!(partial.global().is_none(), "{line}");
            assert!(partial.targets().is_none(), "{line}");
        }
    }
}
