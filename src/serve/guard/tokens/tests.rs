//! The token file when it changes, disappears, or is a pipe.

use tokio::time::advance;

use super::*;

const ALICE: &str = "alice-s-token-0123456789";
const BOB: &str = "bobby-s-token-0123456789";

/// Lets the time for both looks at the file pass.
async fn look_twice(tokens: &Tokens) {
    advance(RELOAD_PERIOD).await;
    tokens.owner("");
    advance(SECOND_LOOK).await;
}

fn file(content: &str) -> (tempfile::TempDir, PathBuf, Tokens) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    std::fs::write(&path, content).unwrap();
    let tokens = Tokens::load(path.clone()).unwrap();
    (directory, path, tokens)
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_reloaded_and_an_invalid_one_has_a_grace_period() {
    let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
    assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
    assert_eq!((tokens.owner(""), tokens.owner(&ALICE[1..])), (None, None));
    std::fs::write(&path, "broken").unwrap();
    advance(RELOAD_PERIOD).await;
    assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
    std::fs::remove_file(&path).unwrap();
    advance(RELOAD_PERIOD).await;
    assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
    std::fs::write(&path, format!("bob {BOB}")).unwrap();
    look_twice(&tokens).await;
    assert_eq!(tokens.owner(ALICE), None);
    assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"));
    for is_there in [true, false] {
        if is_there {
            std::fs::write(&path, "broken").unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        advance(RELOAD_PERIOD).await;
        assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"));
        advance(GRACE_PERIOD).await;
        assert_eq!(tokens.owner(BOB), None, "the grace period is over");
        std::fs::write(&path, format!("bob {BOB}")).unwrap();
        advance(RELOAD_PERIOD).await;
        assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"), "the file is valid again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_without_tokens_revokes_all_of_them() {
    for content in ["", "# nothing"] {
        let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
        std::fs::write(&path, content).unwrap();
        look_twice(&tokens).await;
        assert_eq!(tokens.owner(ALICE), None, "{content:?}");
        let error = format!("{:#}", Tokens::load(path).unwrap_err());
        assert!(error.contains("the file contains no token"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_missing_only_at_one_look_stay_valid() {
    let all = format!("alice {ALICE}\nbob {BOB}\n");
    let (_directory, path, tokens) = file(&all);
    for part in ["", &all[..all.len() - 3]] {
        std::fs::write(&path, part).unwrap();
        advance(RELOAD_PERIOD).await;
        assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"), "{part:?}");
        std::fs::write(&path, &all).unwrap();
        advance(SECOND_LOOK).await;
        assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"), "{part:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_all_the_time_loses_its_tokens_in_the_end() {
    let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
    let rounds = MAX_REWRITE.as_millis() / SECOND_LOOK.as_millis() + 5;
    for round in 0..rounds {
        std::fs::write(&path, format!("# {round}")).unwrap();
        advance(SECOND_LOOK).await;
        tokens.owner("");
    }
    assert_eq!(tokens.owner(ALICE), None);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_token_may_be_new_in_the_file() {
    let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
    std::fs::write(&path, format!("alice {ALICE}\nbob {BOB}")).unwrap();
    advance(SECOND_LOOK).await;
    assert_eq!(tokens.owner(BOB).as_deref(), Some("bob"));
}

#[tokio::test(start_paused = true)]
async fn the_grace_period_also_ends_without_requests() {
    let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
    std::fs::remove_file(&path).unwrap();
    tokio::select! {
        () = tokens.follow() => {}
        () = sleep(GRACE_PERIOD + 2 * RELOAD_PERIOD) => {}
    }
    assert_eq!(tokens.owner(ALICE), None);
}

#[tokio::test(start_paused = true)]
async fn a_directory_in_place_of_the_file_counts_as_missing() {
    let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    advance(RELOAD_PERIOD).await;
    assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
    advance(GRACE_PERIOD).await;
    assert_eq!(tokens.owner(ALICE), None);
}

#[cfg(unix)]
fn make_pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_pipe_is_read_once_and_its_tokens_stay_valid() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    make_pipe(&path);
    let tokens = std::thread::scope(|scope| {
        scope.spawn(|| std::fs::write(&path, format!("alice {ALICE}")).unwrap());
        Tokens::load(path.clone()).unwrap()
    });
    std::fs::remove_file(&path).unwrap();
    for _ in 0..2 {
        advance(GRACE_PERIOD).await;
        assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
    }
}

/// Opening a pipe blocks until a writer comes, and all answers would wait for it.
#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_the_file_does_not_block() {
    let (_directory, path, tokens) = file(&format!("alice {ALICE}"));
    std::fs::remove_file(&path).unwrap();
    make_pipe(&path);
    let (answered, answer) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            tokens.loaded.lock().reload(&path);
            answered.send(())
        });
        let in_time = answer.recv_timeout(Duration::from_secs(10));
        // If it blocks after all, a writer releases it.
        if in_time.is_err() {
            drop(std::fs::OpenOptions::new().write(true).open(&path));
        }
        assert!(in_time.is_ok());
    });
    assert_eq!(tokens.owner(ALICE).as_deref(), Some("alice"));
}

#[test]
fn the_error_names_a_file_that_is_too_large_or_missing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokens");
    std::fs::write(&path, "x".repeat(65 * 1024)).unwrap();
    let error = format!("{:#}", Tokens::load(path).unwrap_err());
    assert!(error.ends_with("the file is larger than 64 KB"), "{error}");
    let error = format!("{:#}", Tokens::load("/missing/tokens".into()).unwrap_err());
    assert!(error.starts_with("reading --auth-token-file=/missing/tokens: "), "{error}");
}
