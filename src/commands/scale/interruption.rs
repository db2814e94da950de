//! The end of a scale by a signal before anything was changed.

use std::pin::Pin;

use anyhow::anyhow;

use super::super::signals::Signal;
use crate::output::Failed;

/// Does the work.
///
/// # Errors
/// The signal came first. The text says that nothing was changed.
pub(super) async fn unless_interrupted<T>(
    work: impl Future<Output = T>,
    signal: Pin<&mut impl Future<Output = Signal>>,
) -> Result<T, Failed> {
    tokio::select! {
        result = work => Ok(result),
        signal = signal => {
            let error = anyhow!("interrupted: nothing was changed");
            Err(Failed::by_signal(signal.number(), vec![error]))
        }
    }
}
