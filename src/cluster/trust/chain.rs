//! The chain from a server's certificate to a root, built and checked as Go 1.26 does
//! (`crypto/x509/verify.go`). Go's rules are neither a subset nor a superset of those of webpki,
//! which rustls uses:
//!
//! - A root has limits: dates, path length, key usage, extended key usage, critical extensions.
//! - A server may present a CA certificate, and the server's own certificate may be the root.
//! - The extended key usage may be `anyExtendedKeyUsage`.

use std::cell::{Cell, RefCell};

use time::OffsetDateTime;

use super::refusal::{Candidate, Refusal};
use super::{host_name, name_constraints, policies, signature};
use crate::cluster::x509::{BasicConstraints, Certificate, PublicKey};

/// Go's limit of signatures for one chain. Hostile servers send many certificates with one name.
const MAX_SIGNATURE_CHECKS: u32 = 100;

/// 2.5.29.37.0
const ANY_PURPOSE: &[u8] = &[0x55, 0x1d, 0x25, 0];
/// 1.3.6.1.5.5.7.3.1
const SERVER_AUTHENTICATION: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];

/// The certificates of one connection.
pub struct ServerChain<'c, 'a> {
    pub server: &'c Certificate<'a>,
    pub intermediates: &'c [Certificate<'a>],
    /// The roots that have the name of an issuer of these certificates, or are the server's
    /// certificate.
    pub roots: &'c [Certificate<'a>],
    pub now: OffsetDateTime,
}

/// The place of a certificate in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Server,
    Intermediate,
    Root,
}

type Chain<'c, 'a> = Vec<&'c Certificate<'a>>;

/// Verifies that the server's certificate is valid for `host`, and leads to a root.
///
/// # Errors
/// It is not trusted.
pub fn verify(presented: &ServerChain<'_, '_>, host: &str) -> Result<(), Refusal> {
    let server = presented.server;
    check(server, Place::Server, &[], presented.now)?;
    host_name::verify(server, host)?;
    let search = Search { presented, checks: Cell::new(0), rejected: RefCell::default() };
    if presented.roots.iter().any(|root| root.der == server.der) {
        if search.accepts(&[server]) {
            return Ok(());
        }
    } else {
        match search.extend(&vec![server]) {
            Ok(()) => return Ok(()),
            // A whole chain was found and rejected, which says more than a failed search.
            Err(_) if search.rejected.borrow().is_some() => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Err(search.rejected.take().map_or(Refusal::UnknownAuthority(None), Rejected::refusal))
}

struct Search<'s, 'c, 'a> {
    presented: &'s ServerChain<'c, 'a>,
    checks: Cell<u32>,
    rejected: RefCell<Option<Rejected>>,
}

/// The reasons why complete chains were rejected.
#[derive(Debug, Default)]
struct Rejected {
    by_policies: usize,
    by_usage: usize,
    name_constraint: Option<String>,
}

impl<'c, 'a> Search<'_, 'c, 'a> {
    /// Searches for a valid chain that begins with this one.
    fn extend(&self, chain: &Chain<'c, 'a>) -> Result<(), Refusal> {
        let Some(child) = chain.last() else { return Err(Refusal::UnknownAuthority(None)) };
        let mut last = None;
        let mut hint = None;
        let ServerChain { roots, intermediates, .. } = self.presented;
        let roots = candidates(child, roots).map(|root| (Place::Root, root));
        let intermediates = candidates(child, intermediates);
        let intermediates = intermediates.map(|authority| (Place::Intermediate, authority));
        for (place, authority) in roots.chain(intermediates) {
            self.checks.set(self.checks.get() + 1);
            if self.checks.get() > MAX_SIGNATURE_CHECKS {
                return Err(Refusal::SignatureLimit);
            }
            let is_in_chain = chain.iter().any(|own| is_same_authority(own, authority));
            if is_in_chain || authority.public_key == PublicKey::Other {
                continue;
            }
            let signed = check_signature(child, authority);
            let valid = match signed {
                Ok(()) => check(authority, place, chain, self.presented.now),
                Err(refusal) => {
                    hint.get_or_insert_with(|| candidate(authority, refusal));
                    continue;
                }
            };
            if let Err(refusal) = valid {
                hint.get_or_insert_with(|| candidate(authority, refusal.clone()));
                last = Some(refusal);
                continue;
            }
            let mut longer = chain.clone();
            longer.push(authority);
            last = match place {
                Place::Root if self.accepts(&longer) => return Ok(()),
                Place::Root => None,
                _ => match self.extend(&longer) {
                    Ok(()) => return Ok(()),
                    Err(Refusal::SignatureLimit) => return Err(Refusal::SignatureLimit),
                    Err(refusal) => Some(refusal),
                },
            };
        }
        Err(last.unwrap_or(Refusal::UnknownAuthority(hint)))
    }

    /// True if a chain that reaches a root is valid as a whole.
    fn accepts(&self, chain: &[&Certificate<'_>]) -> bool {
        let mut rejected = self.rejected.borrow_mut();
        let rejected = rejected.get_or_insert_default();
        let policies = chain.iter().map(|certificate| policies::Link {
            policies: &certificate.extensions.policies,
            is_self_issued: certificate.issuer == certificate.subject,
        });
        if !policies::are_valid(&policies.collect::<Vec<_>>()) {
            rejected.by_policies += 1;
        } else if !chain.iter().all(|certificate| is_for_servers(certificate)) {
            rejected.by_usage += 1;
        } else {
            let names = chain.iter().map(|certificate| name_constraints::Link {
                names: certificate.extensions.alternative_names.as_ref(),
                constraints: certificate.extensions.name_constraints.as_ref(),
            });
            match name_constraints::check(&names.collect::<Vec<_>>()) {
                Ok(()) => return true,
                Err(problem) => {
                    rejected.name_constraint.get_or_insert(problem);
                }
            }
        }
        false
    }
}

impl Rejected {
    fn refusal(self) -> Refusal {
        let Self { by_policies, by_usage, name_constraint } = self;
        match (name_constraint, by_policies, by_usage) {
            (Some(problem), ..) => Refusal::NameConstraint(problem),
            (None, 0, _) => Refusal::IncompatibleUsage,
            (None, policies, 0) => {
                Refusal::NoValidChain(format!("{policies} candidate chains with invalid policies"))
            }
            (None, policies, usage) => Refusal::NoValidChain(format!(
                "{usage} candidate chains with incompatible key usage, {policies} candidate chains \
                 with invalid policies"
            )),
        }
    }
}

fn candidate(authority: &Certificate<'_>, refusal: Refusal) -> Box<Candidate> {
    Box::new(Candidate { name: authority.display_name(), refusal })
}

/// The certificates that have the name of the issuer. Those whose key has the right identifier come
/// first, as in Go's `findPotentialParents`.
fn candidates<'c, 'a>(
    child: &Certificate<'_>,
    all: &'c [Certificate<'a>],
) -> impl Iterator<Item = &'c Certificate<'a>> + use<'c, 'a> {
    let wanted = child.extensions.authority_key_id;
    let mut named: Vec<_> =
        all.iter().filter(|authority| authority.subject == child.issuer).collect();
    named.sort_by_key(|authority| match (authority.extensions.subject_key_id, wanted) {
        (own, wanted) if own == wanted => 0,
        ([], _) | (_, []) => 1,
        _ => 2,
    });
    named.into_iter()
}

/// Go's `alreadyInChain`: without it, two authorities that signed each other would form a loop.
fn is_same_authority(one: &Certificate<'_>, other: &Certificate<'_>) -> bool {
    one.subject == other.subject
        && one.public_key == other.public_key
        && one.extensions.alternative_names == other.extensions.alternative_names
}

/// Checks that `authority` may sign and has signed `child`, as Go's `CheckSignatureFrom` does.
fn check_signature(child: &Certificate<'_>, authority: &Certificate<'_>) -> Result<(), Refusal> {
    let is_authority = match authority.extensions.basic_constraints {
        Some(BasicConstraints { is_authority, .. }) => is_authority,
        // Certificates of version 1 have no constraints.
        None => authority.version != 3,
    };
    if !is_authority || !authority.extensions.may_sign_certificates() {
        return Err(Refusal::ParentCannotSign);
    }
    let Certificate { signature_algorithm, signed_part, signature, .. } = *child;
    Ok(signature::verify(&authority.public_key, signature_algorithm, signed_part, signature)?)
}

/// Go's `isValid`: the checks of a certificate that is to follow after `chain`.
fn check(
    certificate: &Certificate<'_>,
    place: Place,
    chain: &[&Certificate<'_>],
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    if certificate.extensions.has_unhandled_critical {
        return Err(Refusal::UnhandledCriticalExtension);
    }
    let validity = certificate.validity;
    if now < validity.not_before {
        let (relation, limit) = ("before", validity.not_before);
        return Err(Refusal::OutsideValidity { now, relation, limit });
    }
    if now > validity.not_after {
        let (relation, limit) = ("after", validity.not_after);
        return Err(Refusal::OutsideValidity { now, relation, limit });
    }
    let constraints = certificate.extensions.basic_constraints;
    let is_authority = constraints.is_some_and(|constraints| constraints.is_authority);
    if place == Place::Intermediate && !is_authority {
        return Err(Refusal::IntermediateCannotSign);
    }
    // The server's certificate is not an intermediate.
    let intermediates = chain.len().saturating_sub(1) as u64;
    match constraints.and_then(|constraints| constraints.max_path_length) {
        Some(limit) if intermediates > limit => Err(Refusal::TooManyIntermediates),
        _ => Ok(()),
    }
}

/// True unless the certificate is only for other purposes. Go checks it for every certificate of a
/// chain.
fn is_for_servers(certificate: &Certificate<'_>) -> bool {
    let purposes = &certificate.extensions.extended_key_usages;
    let is_fitting = |purpose: &&[u8]| [ANY_PURPOSE, SERVER_AUTHENTICATION].contains(purpose);
    purposes.is_empty() || purposes.iter().any(is_fitting)
}
