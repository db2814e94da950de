//! The merge of several files, by the rules of client-go's `tools/clientcmd/loader.go`. The first
//! file that defines a name wins with its whole entry. The first `current-context` that is not
//! empty wins.

use super::file::File;

/// Merges `files`, the most important first.
pub(super) fn merge(files: Vec<File>) -> File {
    let mut files = files.into_iter();
    let Some(mut merged) = files.next() else {
        return File::default();
    };
    for file in files {
        if merged.current_context.is_empty() {
            merged.current_context = file.current_context;
        }
        for (name, entry) in file.clusters {
            merged.clusters.entry(name).or_insert(entry);
        }
        for (name, entry) in file.users {
            merged.users.entry(name).or_insert(entry);
        }
        for (name, entry) in file.contexts {
            merged.contexts.entry(name).or_insert(entry);
        }
    }
    merged
}
