//! The signals that end the program.
//!
//! The first signal ends the command in an orderly way: it reports the progress, and cleans up. A second
//! one ends the program at once.

use std::pin::Pin;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
#[cfg(unix)]
use futures_util::FutureExt;

use crate::output::Failed;

/// Signals within this time after the first one count as the same. `timeout` of GNU coreutils sends its
/// signal twice: to the process and to its group.
const SAME_SIGNAL: Duration = Duration::from_millis(300);

/// The message when a signal comes while Locust gets a start, or between the two starts of a ramp.
pub const FINISHING_START: &str = "Interrupted: locustctl finishes the start of the users before it ends, so that \
                                   the test gets all of them. To end locustctl at once, press Ctrl-C or send another signal";

/// A signal from Ctrl-C, from `kill`, or from a terminal that was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT
    Interrupt,
    /// SIGTERM
    Terminate,
    /// SIGHUP
    HangUp,
}

impl Signal {
    /// The number of the signal. A shell reports 128 plus this number as exit code.
    pub fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// The error of an interrupted command. `progress` describes the work so far, for example "nothing was
    /// changed".
    pub fn interrupted(self, progress: &str) -> Failed {
        Failed::by_signal(self.number(), vec![anyhow!("interrupted: {progress}")])
    }
}

/// Runs `work` until it ends or the signal comes.
///
/// # Errors
/// The signal came first. `progress` is for [`Signal::interrupted`].
pub async fn unless_interrupted<T>(
    work: impl Future<Output = T>,
    signal: Pin<&mut impl Future<Output = Signal>>,
    progress: &str,
) -> Result<T, Failed> {
    tokio::select! {
        result = work => Ok(result),
        signal = signal => Err(signal.interrupted(progress)),
    }
}

/// Waits for the first signal. From this call on, the signals do not end the program by themselves. After
/// the first signal, a second one ends it with its exit code, whatever it is doing. A signal that was
/// ignored at the start, as with `nohup`, stays ignored.
///
/// # Errors
/// The operating system refuses the handler.
pub fn first() -> Result<impl Future<Output = Signal>> {
    let mut listeners = Listeners::new()?;
    Ok(async move {
        let signal = listeners.next().await;
        tokio::spawn(async move {
            tokio::time::sleep(SAME_SIGNAL).await;
            listeners.forget_pending();
            let second = listeners.next().await;
            std::process::exit(128 + i32::from(second.number()));
        });
        signal
    })
}

/// All signals, one after another. None of them ends the program by itself.
pub struct Signals {
    listeners: Listeners,
    last: Option<(Signal, Instant)>,
}

impl Signals {
    /// From this call on, the signals do not end the program by themselves. A signal that was ignored at the
    /// start, as with `nohup`, stays ignored.
    ///
    /// # Errors
    /// The operating system refuses the handler.
    pub fn new() -> Result<Self> {
        Ok(Self { listeners: Listeners::new()?, last: None })
    }

    /// Waits for the next signal. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Signal {
        loop {
            let signal = self.listeners.next().await;
            let is_same =
                |(last, at): (Signal, Instant)| last == signal && at.elapsed() < SAME_SIGNAL;
            if !self.last.is_some_and(is_same) {
                self.last = Some((signal, Instant::now()));
                return signal;
            }
        }
    }
}

/// The handlers of all signals; `None` for one that stays ignored.
#[cfg(unix)]
struct Listeners {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Listeners {
    fn new() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored_signals();
        let listen = |which: Signal| match ignored & (1 << (which.number() - 1)) {
            0 => {
                let kind = SignalKind::from_raw(which.number().into());
                signal(kind).map(Some).with_context(|| format!("waiting for {which:?}"))
            }
            _ => Ok(None),
        };
        Ok(Self {
            interrupt: listen(Signal::Interrupt)?,
            terminate: listen(Signal::Terminate)?,
            hang_up: listen(Signal::HangUp)?,
        })
    }

    async fn next(&mut self) -> Signal {
        async fn wait(listener: &mut Option<tokio::signal::unix::Signal>) {
            match listener {
                Some(listener) => _ = listener.recv().await,
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = wait(&mut self.interrupt) => Signal::Interrupt,
            () = wait(&mut self.terminate) => Signal::Terminate,
            () = wait(&mut self.hang_up) => Signal::HangUp,
        }
    }

    /// Drops the signals that have arrived and were not taken yet.
    fn forget_pending(&mut self) {
        for listener in [&mut self.interrupt, &mut self.terminate, &mut self.hang_up] {
            _ = listener.as_mut().and_then(|listener| listener.recv().now_or_never());
        }
    }
}

/// A mask of the signals that the process ignores: signal N is bit N-1. Only Linux can tell without
/// `unsafe`; elsewhere the mask is 0.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// The handler of Ctrl-C.
#[cfg(not(unix))]
struct Listeners;

#[cfg(not(unix))]
impl Listeners {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Interrupt
    }

    /// A handler gets only signals that come while it waits.
    fn forget_pending(&mut self) {}
}
