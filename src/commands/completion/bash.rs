//! The completion script for bash. clap's script splits `--context=a` and `a:b` into several words,
//! like readline does; this one does not.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap_complete::env::{self, EnvCompleter};

/// bash 3.2 or later.
pub struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        env::Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        env::Bash.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        program: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> io::Result<()> {
        let text = SCRIPT
            .replace("VARIABLE", variable)
            .replace("NAME", name)
            .replace("PROGRAM", program)
            .replace("COMPLETER", completer);
        script.write_all(text.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        directory: Option<&Path>,
        answer: &mut dyn Write,
    ) -> io::Result<()> {
        env::Bash.write_complete(command, words, directory, answer)
    }
}

const SCRIPT: &str = r#"# Completion of PROGRAM for bash: asks PROGRAM for the candidates at the cursor.
_NAME() {
    local IFS=$'\013' line=${COMP_LINE:0:COMP_POINT} words=() word current prefix reply i

    # readline also splits words at = and : but only blanks separate words here.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if ((i == 0)) || [[ $line == [[:blank:]]* ]]; then
            words+=("")
        fi
        line=${line#"${line%%[![:blank:]]*}"}
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)); then
            word=$line
        fi
        words[${#words[@]} - 1]+=$word
        line=${line#"$word"}
    done

    COMPREPLY=()
    reply=$(_CLAP_IFS="$IFS" _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1)) VARIABLE=bash \
        COMPLETER -- "${words[@]}" 2>/dev/null) || return 0
    [[ -n $reply ]] || return 0
    read -r -a COMPREPLY <<<"$reply"

    # readline replaces only the part after the last = or : so drop what stands before it.
    current=${words[${#words[@]} - 1]}
    prefix=
    if [[ $current == *"$2" ]]; then
        prefix=${current%"$2"}
    fi
    for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do
        printf -v COMPREPLY[i] %q "${COMPREPLY[i]#"$prefix"}"
    done
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}
complete -o bashdefault -o nosort -F _NAME PROGRAM 2>/dev/null ||
    complete -o bashdefault -F _NAME PROGRAM
"#;
