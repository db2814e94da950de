//! Where the kuberc is: `--kuberc`, else `$KUBERC`, else `~/.kube/kuberc`.

use std::ffi::OsStr;
use std::path::PathBuf;

/// The file to read.
#[derive(Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub path: PathBuf,
    /// Whether somebody asked for it: then it must be there, and be readable.
    pub is_explicit: bool,
}

impl Place {
    /// `flag` is the value of `--kuberc`; an empty one is none. `None` when kuberc is turned off
    /// with `KUBERC=off`, or there is no home to have one in (kubectl would then read the current
    /// directory's, which anybody may have put there).
    ///
    /// # Errors
    /// kubectl's text when the flag is given and kuberc is turned off.
    pub fn from_process(flag: Option<&OsStr>) -> Result<Option<Self>, String> {
        let variable = std::env::var_os("KUBERC").filter(|value| !value.is_empty());
        let flag = flag.filter(|path| !path.is_empty());
        let explicit = |path: &OsStr| Self { path: path.into(), is_explicit: true };
        match (flag, variable) {
            (Some(_), Some(variable)) if variable == "off" => {
                Err("kuberc error disabling kuberc via KUBERC=off and passing kuberc flag are \
                     mutually exclusive"
                    .to_owned())
            }
            (None, Some(variable)) if variable == "off" => Ok(None),
            (Some(path), _) => Ok(Some(explicit(path))),
            (None, Some(path)) => Ok(Some(explicit(&path))),
            (None, None) => Ok(dirs::home_dir()
                .map(|home| Self { path: home.join(".kube/kuberc"), is_explicit: false })),
        }
    }
}

/// Whether `KUBECTL_KUBERC` says that there is no such thing as kuberc, not even its flag.
pub fn is_disabled() -> bool {
    std::env::var_os("KUBECTL_KUBERC").is_some_and(|value| value.eq_ignore_ascii_case("false"))
}
