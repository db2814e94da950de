//! Authentication and authorization.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::HeaderMap;

use super::{
    routes::{RequestInfo, Target},
    status::Failure,
};

/// The accounts of every sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Full rights.
    Admin,
    /// Read rights.
    Viewer,
    /// An account whose token has expired.
    Expired,
}

/// The rights of an account, besides reading versions, health and discovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// Everything, including impersonation.
    All,
    /// `get`, `list` and `watch` on everything.
    ReadOnly,
    None,
    /// Everything that one of these rules allows.
    Rules(Vec<Rule>),
}

/// One rule of a Role. `*` stands for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// `get`, `patch`, …
    pub verbs: Vec<String>,
    /// API groups. The core group is the empty string.
    pub groups: Vec<String>,
    /// Plural names. A subresource follows after a slash: `deployments/scale`.
    pub resources: Vec<String>,
    /// Names of objects. An empty list allows all names.
    pub names: Vec<String>,
    /// The namespace of the Role. The rules of a ClusterRole apply in every namespace.
    pub namespace: Option<String>,
}

impl Rule {
    /// A rule from lists of words.
    pub fn new(verbs: &[&str], groups: &[&str], resources: &[&str], names: &[&str]) -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            verbs: owned(verbs),
            groups: owned(groups),
            resources: owned(resources),
            names: owned(names),
            namespace: None,
        }
    }

    /// The same rule in a Role of this namespace.
    #[must_use]
    pub fn in_namespace(self, namespace: &str) -> Self {
        Self { namespace: Some(namespace.to_owned()), ..self }
    }

    fn allows(&self, verb: &str, target: &Target) -> bool {
        let has = |words: &[String], word: &str| words.iter().any(|w| w == "*" || w == word);
        let name = target.name.as_deref().unwrap_or("");
        has(&self.verbs, verb)
            && has(&self.groups, &target.group)
            && has(&self.resources, &target.resource_path())
            && (self.names.is_empty() || self.names.iter().any(|n| n == name))
            && (self.namespace.is_none() || self.namespace == target.namespace)
    }
}

#[derive(Debug)]
enum Credential {
    Bearer(String),
    Basic(String),
    Certificate(Vec<u8>),
}

#[derive(Debug)]
struct Entry {
    user: String,
    proof: Credential,
    rights: Rights,
    expired: bool,
}

/// An authenticated user.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub user: String,
    rights: Rights,
}

const ANONYMOUS: &str = "system:anonymous";

impl Caller {
    fn anonymous() -> Self {
        Self { user: ANONYMOUS.to_owned(), rights: Rights::None }
    }

    fn may(&self, verb: &str, target: &Target) -> bool {
        match &self.rights {
            Rights::All => true,
            Rights::ReadOnly => matches!(verb, "get" | "list" | "watch"),
            Rights::None => false,
            Rights::Rules(rules) => rules.iter().any(|rule| rule.allows(verb, target)),
        }
    }

    /// Refuses a request that this user may not make, in RBAC's words.
    pub(super) fn authorize(&self, info: &RequestInfo) -> Result<(), Failure> {
        let Some(target) = &info.target else {
            let public = ["/version", "/healthz", "/livez", "/readyz"];
            let open = public.iter().any(|path| info.path.starts_with(path));
            let is_authenticated = self.user != ANONYMOUS;
            let reading = info.verb == "get" && (open || is_authenticated);
            return if reading || self.rights == Rights::All {
                Ok(())
            } else {
                Err(Failure::forbidden_path(&self.user, info.verb, &info.path))
            };
        };
        if self.may(info.verb, target) {
            return Ok(());
        }
        let (namespace, name) = (target.namespace.as_deref(), target.name.as_deref().unwrap_or(""));
        let resource = target.resource_path();
        Err(Failure::forbidden(&self.user, info.verb, &target.group, &resource, namespace, name))
    }
}

/// All accounts of one sandbox.
#[derive(Debug, Default)]
pub(super) struct Accounts(Vec<Entry>);

impl Accounts {
    pub(super) fn add_token(&mut self, token: &str, user: &str, rights: Rights) {
        self.add(user, Credential::Bearer(token.to_owned()), rights, false);
    }

    pub(super) fn add_expired_token(&mut self, token: &str, user: &str) {
        self.add(user, Credential::Bearer(token.to_owned()), Rights::None, true);
    }

    pub(super) fn add_password(&mut self, user: &str, password: &str, rights: Rights) {
        let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.add(user, Credential::Basic(pair), rights, false);
    }

    /// `der` is the whole client certificate: the sandbox signs so few that it can compare them.
    pub(super) fn add_certificate(&mut self, der: Vec<u8>, user: &str, rights: Rights) {
        self.add(user, Credential::Certificate(der), rights, false);
    }

    fn add(&mut self, user: &str, proof: Credential, rights: Rights, expired: bool) {
        // The latest account comes first, so that a test can replace one.
        self.0.insert(0, Entry { user: user.to_owned(), proof, rights, expired });
    }

    /// The user of this request, after impersonation.
    pub(super) fn authenticate(
        &self,
        headers: &HeaderMap,
        certificate: Option<&[u8]>,
    ) -> Result<Caller, Failure> {
        let caller = self.identify(headers, certificate)?;
        let Some(wanted) = header(headers, "impersonate-user") else {
            return Ok(caller);
        };
        if caller.rights != Rights::All {
            return Err(Failure::forbidden(&caller.user, "impersonate", "", "users", None, wanted));
        }
        let masters =
            headers.get_all("impersonate-group").iter().any(|group| group == "system:masters");
        let entry = self.0.iter().find(|entry| entry.user == wanted);
        let rights = match entry {
            _ if masters => Rights::All,
            Some(entry) => entry.rights.clone(),
            None => Rights::None,
        };
        Ok(Caller { user: wanted.to_owned(), rights })
    }

    fn identify(&self, headers: &HeaderMap, certificate: Option<&[u8]>) -> Result<Caller, Failure> {
        // A certificate has priority over the headers, as in a real server.
        let by_certificate = |entry: &&Entry| matches!(&entry.proof, Credential::Certificate(der) if Some(&der[..]) == certificate);
        if let Some(entry) = self.0.iter().find(by_certificate) {
            return Ok(entry.caller());
        }
        let Some(authorization) = header(headers, "authorization") else {
            return Ok(Caller::anonymous());
        };
        let Some((scheme, proof)) = authorization.split_once(' ') else {
            return Ok(Caller::anonymous());
        };
        let proves = |entry: &&Entry| match &entry.proof {
            Credential::Bearer(token) => {
                scheme.eq_ignore_ascii_case("bearer") && token == proof.trim()
            }
            Credential::Basic(pair) => scheme.eq_ignore_ascii_case("basic") && pair == proof.trim(),
            Credential::Certificate(_) => false,
        };
        match self.0.iter().find(proves) {
            Some(entry) if !entry.expired => Ok(entry.caller()),
            _ => Err(Failure::unauthorized()),
        }
    }
}

impl Entry {
    fn caller(&self) -> Caller {
        Caller { user: self.user.clone(), rights: self.rights.clone() }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::routes;

    #[test]
    fn a_role_applies_only_in_its_namespace() {
        let rule = Rule::new(&["list", "watch"], &[""], &["pods"], &[]).in_namespace("load");
        let caller = Caller { user: "ci".to_owned(), rights: Rights::Rules(vec![rule]) };
        let may = |path: &str| caller.authorize(&routes::read("GET", path, "")).is_ok();
        assert!(may("/api/v1/namespaces/load/pods"));
        assert!(!may("/api/v1/namespaces/other/pods"));
        assert!(!may("/api/v1/pods"));
    }

    #[test]
    fn a_rule_names_subresource_and_object() {
        let rights =
            Rights::Rules(vec![Rule::new(&["patch"], &["apps"], &["deployments/scale"], &["a"])]);
        let caller = Caller { user: "ci".to_owned(), rights };
        let may =
            |method: &str, path: &str| caller.authorize(&routes::read(method, path, "")).is_ok();
        assert!(may("PATCH", "/apis/apps/v1/namespaces/x/deployments/a/scale"));
        assert!(!may("PATCH", "/apis/apps/v1/namespaces/x/deployments/b/scale"));
        assert!(!may("PATCH", "/apis/apps/v1/namespaces/x/deployments/a"));
        assert!(!may("GET", "/apis/apps/v1/namespaces/x/deployments/a/scale"));
        assert!(may("GET", "/apis"));
        assert!(!may("POST", "/apis"));
    }
}
