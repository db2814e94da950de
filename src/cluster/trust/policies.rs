//! Certificate policies (RFC 5280, section 6.1, with the changes of RFC 9618). They matter only if
//! an authority requires an explicit policy. The set of wanted policies is "any", so the graph of
//! RFC 9618 is reduced to the policies that a certificate may still have.

use std::collections::BTreeSet;

use crate::cluster::x509::Policies;

/// 2.5.29.32.0
const ANY: &[u8] = &[0x55, 0x1d, 0x20, 0];

/// The numbers of certificates after which a rule applies.
struct Counters {
    explicit: u64,
    mapping: u64,
    any: u64,
}

/// The part of a certificate that policies depend on.
#[derive(Debug, Clone, Copy)]
pub struct Link<'c, 'a> {
    pub policies: &'c Policies<'a>,
    /// True if the subject is also the issuer.
    pub is_self_issued: bool,
}

/// True if a chain, from the server's certificate to the root, has the policies that its
/// authorities require. The rules are those of Go's `policiesValid`.
pub fn are_valid(chain: &[Link<'_, '_>]) -> bool {
    let [leaf, .., _root] = chain else { return true };
    let length = chain.len() as u64;
    let mut counters = Counters { explicit: length, mapping: length, any: length };
    // The policies that the next certificate may have; `None` after one without policies.
    let mut allowed = Some(BTreeSet::from([ANY]));
    for (place, link) in chain[..chain.len() - 1].iter().enumerate().rev() {
        let Link { policies: own, is_self_issued } = *link;
        let is_leaf = place == 0;
        if own.policies.is_empty() {
            allowed = None;
        }
        if counters.explicit == 0 && allowed.is_none() {
            return false;
        }
        if let Some(allowed) = &mut allowed {
            let takes_any = counters.any > 0 || (!is_leaf && is_self_issued);
            *allowed = narrowed(own, allowed, takes_any);
            if !is_leaf && !map(own, allowed, counters.mapping > 0) {
                return false;
            }
        }
        if !is_leaf {
            counters.pass(own, is_self_issued);
        }
    }
    let needs_policy = counters.explicit <= 1 || leaf.policies.require_explicit == Some(0);
    !needs_policy || allowed.is_some_and(|allowed| !allowed.is_empty())
}

/// The allowed policies that a certificate has.
fn narrowed<'a>(
    own: &Policies<'a>,
    allowed: &BTreeSet<&'a [u8]>,
    takes_any: bool,
) -> BTreeSet<&'a [u8]> {
    let is_allowed =
        |policy: &&&[u8]| **policy != ANY && (allowed.contains(**policy) || allowed.contains(ANY));
    let mut narrowed: BTreeSet<&[u8]> = own.policies.iter().filter(is_allowed).copied().collect();
    if takes_any && own.policies.contains(&ANY) {
        narrowed.extend(allowed);
    }
    narrowed
}

/// Replaces policies of an issuer by those of its subject. Returns false for a mapping of "any",
/// which the standard forbids.
fn map<'a>(own: &Policies<'a>, allowed: &mut BTreeSet<&'a [u8]>, may_map: bool) -> bool {
    let before = allowed.clone();
    for (issuer, _) in &own.mappings {
        allowed.remove(issuer);
    }
    if !may_map {
        return true;
    }
    for (issuer, subject) in &own.mappings {
        if *issuer == ANY || *subject == ANY {
            return false;
        }
        if before.contains(issuer) || before.contains(ANY) {
            allowed.insert(subject);
        }
    }
    true
}

impl Counters {
    /// Counts an intermediate certificate, and applies its own limits.
    fn pass(&mut self, own: &Policies<'_>, is_self_issued: bool) {
        let limits = [own.require_explicit, own.inhibit_mapping, own.inhibit_any];
        for (counter, limit) in
            [&mut self.explicit, &mut self.mapping, &mut self.any].into_iter().zip(limits)
        {
            if !is_self_issued {
                *counter = counter.saturating_sub(1);
            }
            *counter = limit.map_or(*counter, |limit| limit.min(*counter));
        }
    }
}
