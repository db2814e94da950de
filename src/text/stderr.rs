//! Lines for stderr. They are written at once, or by a thread of their own, so that a reader of stderr that
//! stops reading cannot stop the program.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Limit on the lines that wait to be written, in bytes. Further lines are only counted.
const MAX_WAITING: usize = 1024 * 1024;

/// Time limit for the last lines.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// Writes a line. A failure to write is ignored.
pub fn write(line: String) {
    match QUEUE.get() {
        Some(queue) => queue.push(line),
        None => write_now(&mut std::io::stderr().lock(), line),
    }
}

/// Lets a thread write all further lines, so that [`write()`] never waits. If too many lines wait, some are
/// dropped, and the line that `describe` makes of their number takes their place.
///
/// # Errors
/// The system refuses the thread.
pub fn write_in_background(describe: fn(u64) -> String) -> std::io::Result<()> {
    let queue = Arc::new(Queue::default());
    let writer = Arc::clone(&queue);
    let thread = std::thread::Builder::new().name("stderr".to_owned());
    // The thread ends with the program.
    thread.spawn(move || writer.run(&mut std::io::stderr(), describe))?;
    // A second call changes nothing.
    let _ = QUEUE.set(queue);
    Ok(())
}

/// The number of lines that were dropped.
pub fn dropped() -> u64 {
    QUEUE.get().map_or(0, |queue| queue.state.lock().dropped)
}

/// Waits until all lines are written, for at most one second.
pub fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(FLUSH_LIMIT);
    }
}

fn write_now(to: &mut impl Write, mut line: String) {
    line.push('\n');
    let _ = to.write_all(line.as_bytes());
}

/// The lines that wait to be written.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    /// Notifies when a line was added, and when all are written.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    /// The size of all waiting lines.
    bytes: usize,
    /// The number of all dropped lines.
    dropped: u64,
    is_writing: bool,
}

#[derive(Debug)]
enum Waiting {
    Line(String),
    /// This many lines were dropped here.
    Dropped(u64),
}

impl Queue {
    fn push(&self, line: String) {
        // An empty line needs memory, too.
        let size = line.len() + 1;
        let mut state = self.state.lock();
        if state.bytes + size > MAX_WAITING {
            state.dropped += 1;
            match state.waiting.back_mut() {
                Some(Waiting::Dropped(count)) => *count += 1,
                _ => state.waiting.push_back(Waiting::Dropped(1)),
            }
        } else {
            state.bytes += size;
            state.waiting.push_back(Waiting::Line(line));
        }
        self.changed.notify_all();
    }

    /// Writes all lines; never ends.
    fn run(&self, to: &mut impl Write, describe: fn(u64) -> String) {
        loop {
            let line = self.next(describe);
            write_now(to, line);
        }
    }

    fn next(&self, describe: fn(u64) -> String) -> String {
        let mut state = self.state.lock();
        state.is_writing = false;
        self.changed.notify_all();
        loop {
            match state.waiting.pop_front() {
                Some(Waiting::Line(line)) => {
                    state.bytes -= line.len() + 1;
                    state.is_writing = true;
                    return line;
                }
                Some(Waiting::Dropped(count)) => {
                    state.is_writing = true;
                    return describe(count);
                }
                None => self.changed.wait(&mut state),
            }
        }
    }

    fn flush(&self, limit: Duration) {
        let end = Instant::now() + limit;
        let mut state = self.state.lock();
        while state.is_writing || !state.waiting.is_empty() {
            if self.changed.wait_until(&mut state, end).timed_out() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(count: u64) -> String {
        format!("{count} dropped")
    }

    #[test]
    fn lines_beyond_the_limit_are_counted_where_they_are_missing() {
        let queue = Queue::default();
        let long = "x".repeat(MAX_WAITING - 1);
        queue.push(long.clone());
        queue.push("lost".to_owned());
        queue.push("lost".to_owned());
        assert_eq!(queue.next(describe), long);
        queue.push("later".to_owned());
        assert_eq!(queue.next(describe), "2 dropped");
        assert_eq!(queue.next(describe), "later");
        assert_eq!(queue.state.lock().dropped, 2);
        assert_eq!(queue.state.lock().bytes, 0);
    }

    #[test]
    fn empty_lines_have_a_limit_too() {
        let queue = Queue::default();
        for _ in 0..=MAX_WAITING + 1 {
            queue.push(String::new());
        }
        let state = queue.state.lock();
        assert_eq!(state.waiting.len(), MAX_WAITING + 1);
        assert_eq!(state.dropped, 2);
    }

    #[test]
    fn a_flush_waits_for_all_lines_but_not_for_a_writer_that_is_stuck() {
        let queue = Arc::new(Queue::default());
        queue.push("one".to_owned());
        queue.flush(Duration::from_millis(1));
        let (reader, mut writer) = std::io::pipe().unwrap();
        let writing = Arc::clone(&queue);
        std::thread::spawn(move || writing.run(&mut writer, describe));
        queue.flush(Duration::from_secs(60));
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(reader), &mut line).unwrap();
        assert_eq!(line, "one\n");
    }
}
