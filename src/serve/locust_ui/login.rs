//! Locust's own login, where it has one, holds for our addresses too: the caller's cookie is tried
//! on Locust. Locust has no list of users that could be asked.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

/// For so long a cookie that was good is not tried again.
const FRESH: Duration = Duration::from_secs(5);

/// While Locust does not answer, whoever was let in last stays in for as long.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// When it has not answered, it is not asked for so long.
const SILENCE: Duration = Duration::from_secs(2);

/// Cookies that are remembered.
const MOST_COOKIES: usize = 512;

/// What Locust said to a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It answered as to somebody who may.
    Admitted,
    /// It asked for a login.
    Refused,
    /// It did not answer.
    Silent,
}

/// Whether somebody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Locust asks nobody for a login.
    Open,
    /// By their cookie.
    ByCookie,
    /// They have to log in to Locust.
    Refused,
    /// Locust does not answer, and it is not known whom it would let in.
    Unknown,
}

/// Whom Locust has let in lately.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether somebody without a cookie was let in, and when that was.
    open: Option<(bool, Instant)>,
    /// When it did not answer.
    silent: Option<Instant>,
    /// The latest last.
    admitted: VecDeque<(SecretString, Instant)>,
}

impl Logins {
    /// Decides by what Locust says: `ask` tries a cookie there, or none.
    pub(super) async fn admit<F: Future<Output = Answer>>(
        &self,
        cookie: Option<&HeaderValue>,
        ask: impl Fn(Option<HeaderValue>) -> F,
    ) -> Admission {
        if self.lock().is_open(FRESH).is_none() {
            self.ask(None, &ask).await;
        }
        match self.lock().is_open(REMEMBERED) {
            Some(true) => return Admission::Open,
            Some(false) => {}
            None => return Admission::Unknown,
        }
        let Some(cookie) = cookie else { return Admission::Refused };
        if self.lock().was_admitted(cookie, FRESH) {
            return Admission::ByCookie;
        }
        match self.ask(Some(cookie), &ask).await {
            Answer::Admitted => Admission::ByCookie,
            Answer::Refused => Admission::Refused,
            Answer::Silent if self.lock().was_admitted(cookie, REMEMBERED) => Admission::ByCookie,
            Answer::Silent => Admission::Unknown,
        }
    }

    async fn ask<F: Future<Output = Answer>>(
        &self,
        cookie: Option<&HeaderValue>,
        ask: &impl Fn(Option<HeaderValue>) -> F,
    ) -> Answer {
        if self.lock().is_silent() {
            return Answer::Silent;
        }
        let answer = ask(cookie.cloned()).await;
        self.lock().note(cookie, answer);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_open(&self, within: Duration) -> Option<bool> {
        self.open.filter(|(_, at)| at.elapsed() < within).map(|(is_open, _)| is_open)
    }

    fn is_silent(&self) -> bool {
        self.silent.is_some_and(|at| at.elapsed() < SILENCE)
    }

    fn was_admitted(&self, cookie: &HeaderValue, within: Duration) -> bool {
        self.admitted.iter().any(|(known, at)| is_same(known, cookie) && at.elapsed() < within)
    }

    fn note(&mut self, cookie: Option<&HeaderValue>, answer: Answer) {
        let now = Instant::now();
        self.silent = (answer == Answer::Silent).then_some(now);
        match (cookie, answer) {
            (_, Answer::Silent) => {}
            (None, answer) => self.open = Some((answer == Answer::Admitted, now)),
            (Some(cookie), answer) => {
                self.admitted.retain(|(known, _)| !is_same(known, cookie));
                if let (Answer::Admitted, Ok(text)) = (answer, cookie.to_str()) {
                    if self.admitted.len() == MOST_COOKIES {
                        self.admitted.pop_front();
                    }
                    self.admitted.push_back((text.into(), now));
                }
            }
        }
    }
}

/// In a time that tells nothing of a cookie that is known.
fn is_same(known: &SecretString, cookie: &HeaderValue) -> bool {
    known.expose_secret().as_bytes().ct_eq(cookie.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A Locust that can be told how to answer, and counts how often it is asked.
    struct Locust {
        answers: Cell<fn(Option<&str>) -> Answer>,
        asked: Cell<usize>,
    }

    impl Locust {
        fn new(answers: fn(Option<&str>) -> Answer) -> Self {
            Self { answers: Cell::new(answers), asked: Cell::new(0) }
        }

        async fn admits(&self, logins: &Logins, cookie: Option<&'static str>) -> Admission {
            let cookie = cookie.map(HeaderValue::from_static);
            let ask = |cookie: Option<HeaderValue>| {
                self.asked.set(self.asked.get() + 1);
                let cookie = cookie.as_ref().and_then(|cookie| cookie.to_str().ok());
                std::future::ready((self.answers.get())(cookie))
            };
            logins.admit(cookie.as_ref(), ask).await
        }
    }

    fn with_login(cookie: Option<&str>) -> Answer {
        match cookie {
            Some("session=good") => Answer::Admitted,
            _ => Answer::Refused,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_locust_without_a_login_lets_everybody_in() {
        let (logins, locust) = (Logins::default(), Locust::new(|_| Answer::Admitted));
        assert_eq!(locust.admits(&logins, None).await, Admission::Open);
        assert_eq!(locust.admits(&logins, Some("a=b")).await, Admission::Open);
        assert_eq!(locust.asked.get(), 1, "it is not asked for each request");
        locust.answers.set(|_| Answer::Silent);
        tokio::time::advance(FRESH).await;
        assert_eq!(locust.admits(&logins, None).await, Admission::Open, "it is down");
        locust.answers.set(with_login);
        tokio::time::advance(FRESH).await;
        assert_eq!(locust.admits(&logins, None).await, Admission::Refused, "it has one now");
    }

    #[tokio::test(start_paused = true)]
    async fn a_locust_with_a_login_decides_by_the_cookie() {
        let (logins, locust) = (Logins::default(), Locust::new(with_login));
        assert_eq!(locust.admits(&logins, None).await, Admission::Refused);
        assert_eq!(locust.admits(&logins, Some("session=bad")).await, Admission::Refused);
        for _ in 0..3 {
            assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::ByCookie);
        }
        assert_eq!(locust.asked.get(), 3);
        locust.answers.set(|_| Answer::Refused);
        tokio::time::advance(FRESH).await;
        assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::Refused);
        // Who was sent away is not let in when Locust goes.
        locust.answers.set(|_| Answer::Silent);
        assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn while_locust_is_down_whoever_was_in_stays_in_for_an_hour() {
        let (logins, locust) = (Logins::default(), Locust::new(with_login));
        locust.admits(&logins, Some("session=good")).await;
        locust.answers.set(|_| Answer::Silent);
        tokio::time::advance(FRESH).await;
        assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::ByCookie);
        assert_eq!(locust.admits(&logins, Some("session=new")).await, Admission::Unknown);
        assert_eq!(locust.admits(&logins, None).await, Admission::Refused);
        tokio::time::advance(REMEMBERED).await;
        assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::Unknown);
    }

    #[tokio::test(start_paused = true)]
    async fn a_locust_that_never_answered_is_not_known() {
        let (logins, locust) = (Logins::default(), Locust::new(|_| Answer::Silent));
        for _ in 0..3 {
            assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::Unknown);
        }
        assert_eq!(locust.asked.get(), 1, "it is left alone for a moment");
    }

    #[tokio::test(start_paused = true)]
    async fn not_more_cookies_are_kept_than_there_is_room_for() {
        let mut state = State::default();
        for number in 0..2 * MOST_COOKIES {
            let cookie = HeaderValue::from_str(&format!("session={number}")).unwrap();
            state.note(Some(&cookie), Answer::Admitted);
        }
        assert_eq!(state.admitted.len(), MOST_COOKIES);
        assert!(!format!("{state:?}").contains("session="));
    }
}
