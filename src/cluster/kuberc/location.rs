//! The location of the kuberc: `--kuberc`, else `$KUBERC`, else `~/.kube/kuberc`.

use std::ffi::OsStr;
use std::path::PathBuf;

/// The location of the file.
#[derive(Debug, PartialEq, Eq)]
pub struct Location {
    pub path: PathBuf,
    /// True if a flag or variable names it. The file must then exist and be readable.
    pub is_explicit: bool,
}

impl Location {
    /// Finds the location. `flag` is the value of `--kuberc`; an empty value counts as no flag.
    ///
    /// `None` means that kuberc is turned off with `KUBERC=off`, or that there is no home
    /// directory. kubectl would then read the file in the current directory, which other users may
    /// control.
    ///
    /// # Errors
    /// The flag is given and kuberc is turned off. The text is kubectl's.
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

/// True if `KUBECTL_KUBERC=false` disables kuberc and its flag.
pub fn is_disabled() -> bool {
    std::env::var_os("KUBECTL_KUBERC").is_some_and(|value| value.eq_ignore_ascii_case("false"))
}
