//! Accepts Locust's own login for the server's addresses: the caller's cookie is sent to Locust, which
//! has no API to check a user.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::header::HeaderValue;
use parking_lot::{Mutex, MutexGuard};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

/// Time until an accepted cookie is checked again.
const RECHECK_AFTER: Duration = Duration::from_secs(5);

/// Time that an accepted cookie stays valid while Locust does not answer.
const OFFLINE_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// Pause after a check without an answer.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Limit on remembered cookies.
const MAX_COOKIES: usize = 512;

/// The result of a check at Locust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LoginCheck {
    Admitted,
    /// Locust asks for a login.
    Refused,
    /// Locust did not answer.
    Silent,
}

/// The access of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Locust has no login.
    Open,
    /// Locust accepts the cookie.
    ByCookie,
    /// The caller must log in to Locust.
    Refused,
    /// Locust does not answer, and it is not known if it has a login.
    Unknown,
    /// Locust has a login and does not answer, and the cookie is not known.
    Unverified,
}

/// The results of the last checks.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<KnownLogins>);

#[derive(Debug, Default)]
struct KnownLogins {
    /// The last check without a cookie: true if Locust has no login, and the time of the check.
    open: Option<(bool, Instant)>,
    /// The time of the last check without an answer.
    silent: Option<Instant>,
    /// Accepted cookies, the latest last.
    admitted: VecDeque<(SecretString, Instant)>,
}

impl Logins {
    /// Decides the access of a caller. `check` sends a cookie to Locust, or a request without one.
    pub(super) async fn admit<F: Future<Output = LoginCheck>>(
        &self,
        cookie: Option<&HeaderValue>,
        check: impl Fn(Option<HeaderValue>) -> F,
    ) -> Admission {
        if self.lock().is_open(RECHECK_AFTER).is_none() {
            self.check(None, &check).await;
        }
        match self.lock().was_open() {
            Some(true) => return Admission::Open,
            Some(false) => {}
            None => return Admission::Unknown,
        }
        let Some(cookie) = cookie else { return Admission::Refused };
        if self.lock().was_admitted(cookie, RECHECK_AFTER) {
            return Admission::ByCookie;
        }
        match self.check(Some(cookie), &check).await {
            LoginCheck::Admitted => Admission::ByCookie,
            LoginCheck::Refused => Admission::Refused,
            LoginCheck::Silent if self.lock().was_admitted(cookie, OFFLINE_LIFETIME) => {
                Admission::ByCookie
            }
            LoginCheck::Silent => Admission::Unverified,
        }
    }

    async fn check<F: Future<Output = LoginCheck>>(
        &self,
        cookie: Option<&HeaderValue>,
        check: &impl Fn(Option<HeaderValue>) -> F,
    ) -> LoginCheck {
        if self.lock().is_silent() {
            return LoginCheck::Silent;
        }
        let answer = check(cookie.cloned()).await;
        self.lock().record(cookie, answer);
        answer
    }

    fn lock(&self) -> MutexGuard<'_, KnownLogins> {
        self.0.lock()
    }
}

impl KnownLogins {
    fn is_open(&self, within: Duration) -> Option<bool> {
        self.open.filter(|(_, at)| at.elapsed() < within).map(|(is_open, _)| is_open)
    }

    /// The last answer about a login. A Locust that had a login is assumed to have it until it
    /// answers otherwise.
    fn was_open(&self) -> Option<bool> {
        let has_login = self.open.filter(|(is_open, _)| !is_open).map(|(is_open, _)| is_open);
        has_login.or_else(|| self.is_open(OFFLINE_LIFETIME))
    }

    fn is_silent(&self) -> bool {
        self.silent.is_some_and(|at| at.elapsed() < RETRY_AFTER)
    }

    fn was_admitted(&self, cookie: &HeaderValue, within: Duration) -> bool {
        self.admitted.iter().any(|(known, at)| is_same(known, cookie) && at.elapsed() < within)
    }

    fn record(&mut self, cookie: Option<&HeaderValue>, answer: LoginCheck) {
        let now = Instant::now();
        self.silent = (answer == LoginCheck::Silent).then_some(now);
        match (cookie, answer) {
            (_, LoginCheck::Silent) => {}
            (None, answer) => self.open = Some((answer == LoginCheck::Admitted, now)),
            (Some(cookie), answer) => {
                self.admitted.retain(|(known, _)| !is_same(known, cookie));
                if let (LoginCheck::Admitted, Ok(text)) = (answer, cookie.to_str()) {
                    if self.admitted.len() == MAX_COOKIES {
                        self.admitted.pop_front();
                    }
                    self.admitted.push_back((text.into(), now));
                }
            }
        }
    }
}

/// Constant-time comparison, so that timing reveals nothing about a known cookie.
fn is_same(known: &SecretString, cookie: &HeaderValue) -> bool {
    known.expose_secret().as_bytes().ct_eq(cookie.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A fake Locust that counts its checks.
    struct Locust {
        answers: Cell<fn(Option<&str>) -> LoginCheck>,
        checks: Cell<usize>,
    }

    impl Locust {
        fn new(answers: fn(Option<&str>) -> LoginCheck) -> Self {
            Self { answers: Cell::new(answers), checks: Cell::new(0) }
        }

        async fn admits(&self, logins: &Logins, cookie: Option<&'static str>) -> Admission {
            let cookie = cookie.map(HeaderValue::from_static);
            let check = |cookie: Option<HeaderValue>| {
                self.checks.set(self.checks.get() + 1);
                let cookie = cookie.as_ref().and_then(|cookie| cookie.to_str().ok());
                std::future::ready((self.answers.get())(cookie))
            };
            logins.admit(cookie.as_ref(), check).await
        }
    }

    fn with_login(cookie: Option<&str>) -> LoginCheck {
        match cookie {
            Some("session=good") => LoginCheck::Admitted,
            _ => LoginCheck::Refused,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_locust_without_a_login_is_open() {
        let (logins, locust) = (Logins::default(), Locust::new(|_| LoginCheck::Admitted));
        assert_eq!(locust.admits(&logins, None).await, Admission::Open);
        assert_eq!(locust.admits(&logins, Some("a=b")).await, Admission::Open);
        assert_eq!(locust.checks.get(), 1, "the result of a check is cached");
        locust.answers.set(|_| LoginCheck::Silent);
        tokio::time::advance(RECHECK_AFTER).await;
        assert_eq!(locust.admits(&logins, None).await, Admission::Open, "Locust is down");
        locust.answers.set(with_login);
        tokio::time::advance(RECHECK_AFTER).await;
        assert_eq!(
            locust.admits(&logins, None).await,
            Admission::Refused,
            "Locust has a login now"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_locust_with_a_login_decides_by_the_cookie() {
        let (logins, locust) = (Logins::default(), Locust::new(with_login));
        assert_eq!(locust.admits(&logins, None).await, Admission::Refused);
        assert_eq!(locust.admits(&logins, Some("session=bad")).await, Admission::Refused);
        for _ in 0..3 {
            assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::ByCookie);
        }
        assert_eq!(locust.checks.get(), 3);
        locust.answers.set(|_| LoginCheck::Refused);
        tokio::time::advance(RECHECK_AFTER).await;
        assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::Refused);
        // A refused cookie stays refused when Locust goes down.
        locust.answers.set(|_| LoginCheck::Silent);
        assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::Unverified);
    }

    #[tokio::test(start_paused = true)]
    async fn while_locust_is_down_accepted_cookies_stay_valid_for_an_hour() {
        let (logins, locust) = (Logins::default(), Locust::new(with_login));
        locust.admits(&logins, Some("session=good")).await;
        locust.answers.set(|_| LoginCheck::Silent);
        tokio::time::advance(RECHECK_AFTER).await;
        assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::ByCookie);
        assert_eq!(locust.admits(&logins, Some("session=new")).await, Admission::Unverified);
        assert_eq!(locust.admits(&logins, None).await, Admission::Refused);
        for _ in 0..3 {
            tokio::time::advance(OFFLINE_LIFETIME).await;
            assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::Unverified);
            assert_eq!(locust.admits(&logins, None).await, Admission::Refused);
        }
        locust.answers.set(|_| LoginCheck::Admitted);
        tokio::time::advance(RECHECK_AFTER).await;
        assert_eq!(locust.admits(&logins, None).await, Admission::Open, "the login is gone");
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_answer_the_access_is_unknown() {
        let (logins, locust) = (Logins::default(), Locust::new(|_| LoginCheck::Silent));
        for _ in 0..3 {
            assert_eq!(locust.admits(&logins, Some("session=good")).await, Admission::Unknown);
        }
        assert_eq!(locust.checks.get(), 1, "serve does not ask again immediately");
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_remembered_cookies_is_limited() {
        let mut state = KnownLogins::default();
        for number in 0..2 * MAX_COOKIES {
            let cookie = HeaderValue::from_str(&format!("session={number}")).unwrap();
            state.record(Some(&cookie), LoginCheck::Admitted);
        }
        assert_eq!(state.admitted.len(), MAX_COOKIES);
        assert!(!format!("{state:?}").contains("session="));
    }
}
