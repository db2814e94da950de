//! Releases of Locust, and their differences that matter to a running test.
//!
//! The facts were measured with the releases themselves. docs/locust.md has the table.

use std::fmt;

/// A release of Locust: major, minor and patch number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(u32, u32, u32);

/// The oldest release with tests that locustctl can judge. Older ones have another page.
pub const OLDEST_JUDGED: Release = Release(2, 25, 0);

/// From this release on, the page's `num_users` is that of the last start through the web API.
const FOLLOWS_STARTS: Release = Release(2, 46, 7);

/// From this release on, `POST /swarm` cancels the timer of an earlier run time.
const CANCELS_TIMER: Release = Release(2, 47, 0);

/// From this release on, several workers may leave at once (locust#3516).
const SURVIVES_LEAVING: Release = Release(2, 46, 6);

impl Release {
    /// Reads a version such as `2.46.4` or `2.47.1.dev3`; `None` if it does not begin with two
    /// numbers.
    pub fn parse(version: &str) -> Option<Self> {
        let mut numbers = version.split('.').map(str::parse::<u32>);
        let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
        Some(Self(major, minor, patch))
    }

    /// The page's `num_users` is that of the last start through the web API.
    pub fn follows_starts(self) -> bool {
        self >= FOLLOWS_STARTS
    }

    /// `POST /swarm` cancels the timer of an earlier run time. In older releases that timer ends the
    /// test, even if a later start sends another run time.
    pub fn cancels_timer(self) -> bool {
        self >= CANCELS_TIMER
    }

    /// The master breaks when several workers leave at once as the first change of a test
    /// (locust#3515).
    pub fn breaks_when_workers_leave(self) -> bool {
        self < SURVIVES_LEAVING
    }

    /// locustctl judges the tests of this release.
    pub fn is_judged(self) -> bool {
        self >= OLDEST_JUDGED
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(major, minor, 0) => write!(f, "{major}.{minor}"),
            Self(major, minor, patch) => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_version_are_read() {
        for (version, expected) in [
            ("2.47.0", Some(Release(2, 47, 0))),
            ("2.47.1.dev3", Some(Release(2, 47, 1))),
            ("2.46.7", Some(Release(2, 46, 7))),
            ("3.0", Some(Release(3, 0, 0))),
            ("2", None),
            ("", None),
            ("unknown", None),
        ] {
            assert_eq!(Release::parse(version), expected, "{version}");
        }
    }

    #[test]
    fn releases_differ_as_measured() {
        // Judged, breaks, follows starts, cancels the timer.
        for (version, expected) in [
            ("2.20.1", [false, true, false, false]),
            ("2.25.0", [true, true, false, false]),
            ("2.46.5", [true, true, false, false]),
            ("2.46.6", [true, false, false, false]),
            ("2.46.7", [true, false, true, false]),
            ("2.47.0", [true, false, true, true]),
            ("3.0.0", [true, false, true, true]),
        ] {
            let release = Release::parse(version).unwrap();
            let facts = [
                release.is_judged(),
                release.breaks_when_workers_leave(),
                release.follows_starts(),
                release.cancels_timer(),
            ];
            assert_eq!(facts, expected, "{version}");
        }
    }
}
