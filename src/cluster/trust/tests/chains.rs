//! Chains that rcgen can make.

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, CustomExtension, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, KeyUsagePurpose, NameConstraints, SanType, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

use super::authority::{Change, Entity, root, self_signed_server};
use super::{Roots, UNTRUSTED, is_accepted_by_webpki, refusal};

const SAME: Change = |_| {};
const EXPIRED: Change = |params| params.not_after = date_time_ymd(2026, 1, 1);
const FUTURE: Change = |params| params.not_before = date_time_ymd(2028, 1, 1);
const NO_AUTHORITY: Change = |params| params.is_ca = IsCa::ExplicitNoCa;
const NO_CONSTRAINTS: Change = |params| params.is_ca = IsCa::NoCa;
const AUTHORITY: Change = |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
const NO_SIGNING: Change = |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
const NO_PATH: Change = |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
const SHORT_PATH: Change = |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
const FOR_CLIENTS: Change =
    |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
const FOR_SERVERS: Change =
    |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
const FOR_BOTH: Change = |params| {
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
};
const FOR_ALL: Change = |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
const CRITICAL: Change = |params| extend(params, &[1, 2, 3, 4], &[5, 0]);
/// A critical certificatePolicies with the policy 1.2.3.
const POLICY: Change = |params| extend(params, &[2, 5, 29, 32], &[0x30, 6, 0x30, 4, 6, 2, 0x2a, 3]);
/// A critical policyConstraints with requireExplicitPolicy = 0.
const NEEDS_POLICY: Change = |params| extend(params, &[2, 5, 29, 36], &[0x30, 3, 0x80, 1, 0]);
const NEEDS_AND_HAS_POLICY: Change = |params| {
    POLICY(params);
    NEEDS_POLICY(params);
};

fn extend(params: &mut CertificateParams, oid: &[u64], value: &[u8]) {
    let mut extension = CustomExtension::from_oid_content(oid, value.to_vec());
    extension.set_criticality(true);
    params.custom_extensions.push(extension);
}

fn constrain(params: &mut CertificateParams, permitted: &[&str], excluded: &[&str]) {
    let subtrees = |names: &[&str]| {
        let subtree = |name: &&str| match name.parse::<std::net::IpAddr>() {
            Ok(address) => GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, 8)),
            Err(_) => GeneralSubtree::DnsName((*name).to_owned()),
        };
        names.iter().map(subtree).collect()
    };
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: subtrees(permitted),
        excluded_subtrees: subtrees(excluded),
    });
}

/// Asserts what Go says of these certificates (`""` if it accepts them), and if webpki agrees.
#[track_caller]
fn check_for(
    host: &str,
    roots: &[&CertificateDer<'static>],
    sent: &[&CertificateDer<'static>],
    expected: &str,
    webpki: Webpki,
) {
    let own = |all: &[&CertificateDer<'static>]| -> Vec<CertificateDer<'static>> {
        all.iter().map(|der| (*der).clone()).collect()
    };
    let (roots, sent) = (own(roots), own(sent));
    let refusal = refusal(Roots::of(roots.clone()), &sent, host);
    let text = refusal.as_deref().map_or("", |text| text.strip_prefix(UNTRUSTED).unwrap_or(text));
    assert_eq!(text, expected);
    let is_same = is_accepted_by_webpki(&roots, &sent, host) == refusal.is_none();
    assert_eq!(is_same, webpki == Webpki::Agrees, "webpki");
}

/// The verdict of webpki, which shows where the rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Webpki {
    Agrees,
    Differs,
}

use Webpki::{Agrees, Differs};

/// Checks a server whose certificate is signed by a root, both with a change.
#[track_caller]
fn check_pair(of_root: Change, of_server: Change, expected: &str, webpki: Webpki) {
    let root = root("root", of_root);
    let server = root.server(of_server);
    check_for("localhost", &[&root.der], &[&server.der], expected, webpki);
}

/// Checks a server below a root and an intermediate authority, each with a change.
#[track_caller]
fn check_three(changes: [Change; 3], expected: &str, webpki: Webpki) {
    let root = root("root", changes[0]);
    let middle = root.authority("middle", changes[1]);
    let server = middle.server(changes[2]);
    check_for("localhost", &[&root.der], &[&server.der, &middle.der], expected, webpki);
}

const UNKNOWN: &str = "certificate signed by unknown authority";
const TOO_MANY: &str = "too many intermediates for path length constraint";
const INCOMPATIBLE: &str = "certificate specifies an incompatible key usage";
const UNHANDLED: &str = "unhandled critical extension";

fn expired(relation: &str, limit: &str) -> String {
    format!(
        "certificate has expired or is not yet valid: current time 2027-01-01T00:00:00Z is \
         {relation} {limit}T00:00:00Z"
    )
}

fn unable(candidate: &str, because: &str) -> String {
    format!(
        "{UNKNOWN} (possibly because of {because:?} while trying to verify candidate authority \
         certificate {candidate:?})"
    )
}

const CANNOT_SIGN: &str =
    "x509: invalid signature: parent certificate cannot sign this kind of certificate";

#[test]
fn a_certificate_that_a_root_signed_is_accepted() {
    check_pair(SAME, SAME, "", Agrees);
    check_three([SAME, SAME, SAME], "", Agrees);
    let (root, other) = (root("root", SAME), root("other", SAME));
    let middle = root.authority("middle", SAME);
    let server = middle.server(SAME);
    let sent = [&server.der, &other.der, &middle.der];
    check_for("localhost", &[&other.der, &root.der], &sent, "", Agrees);
    check_for("localhost", &[&middle.der], &[&server.der], "", Agrees);
    check_for("localhost", &[&root.der], &[&server.der], UNKNOWN, Agrees);
    check_for("localhost", &[&other.der], &sent, UNKNOWN, Agrees);
}

#[test]
fn a_server_certificate_can_be_the_root() {
    let authority = root("root", SAME);
    for (server, webpki) in [
        (authority.server(SAME), Differs),
        (authority.server(AUTHORITY), Differs),
        (self_signed_server(SAME), Agrees),
        (self_signed_server(NO_AUTHORITY), Agrees),
        (self_signed_server(NO_SIGNING), Agrees),
        (self_signed_server(AUTHORITY), Differs),
        (self_signed_server(FOR_ALL), Differs),
    ] {
        check_for("localhost", &[&server.der], &[&server.der], "", webpki);
        check_for("localhost", &[&server.der], &[&server.der, &authority.der], "", webpki);
        let wrong = "certificate is valid for localhost, not other.example";
        check_for("other.example", &[&server.der], &[&server.der], wrong, Agrees);
    }
    let server = self_signed_server(EXPIRED);
    let late = expired("after", "2026-01-01");
    check_for("localhost", &[&server.der], &[&server.der], &late, Agrees);
    let server = self_signed_server(FOR_CLIENTS);
    check_for("localhost", &[&server.der], &[&server.der], INCOMPATIBLE, Agrees);
    let (one, other) = (authority.server(SAME), authority.server(SAME));
    check_for("localhost", &[&one.der], &[&other.der], UNKNOWN, Agrees);
    // It has the name and the key of the root, and is another certificate.
    let server = self_signed_server(SAME);
    let renewed = server.renewed(|params| params.not_before = date_time_ymd(2025, 1, 1));
    check_for("localhost", &[&server.der], &[&renewed], UNKNOWN, Differs);
}

#[test]
fn a_server_can_have_the_certificate_of_an_authority() {
    check_pair(SAME, AUTHORITY, "", Differs);
    check_pair(SAME, NO_PATH, "", Differs);
}

#[test]
fn a_root_has_limits() {
    check_pair(EXPIRED, SAME, &expired("after", "2026-01-01"), Differs);
    check_pair(FUTURE, SAME, &expired("before", "2028-01-01"), Differs);
    check_pair(NO_AUTHORITY, SAME, &unable("root", CANNOT_SIGN), Differs);
    check_pair(NO_CONSTRAINTS, SAME, &unable("root", CANNOT_SIGN), Differs);
    check_pair(NO_SIGNING, SAME, &unable("root", CANNOT_SIGN), Differs);
    check_pair(CRITICAL, SAME, UNHANDLED, Differs);
    check_pair(|params| params.key_usages.clear(), SAME, "", Agrees);
}

#[test]
fn an_intermediate_authority_has_limits() {
    check_three([SAME, EXPIRED, SAME], &expired("after", "2026-01-01"), Agrees);
    check_three([SAME, FUTURE, SAME], &expired("before", "2028-01-01"), Agrees);
    check_three([SAME, NO_AUTHORITY, SAME], &unable("middle", CANNOT_SIGN), Agrees);
    check_three([SAME, NO_CONSTRAINTS, SAME], &unable("middle", CANNOT_SIGN), Agrees);
    check_three([SAME, NO_SIGNING, SAME], &unable("middle", CANNOT_SIGN), Differs);
    check_three([SAME, CRITICAL, SAME], UNHANDLED, Agrees);
}

#[test]
fn more_intermediates_than_the_path_length_are_refused() {
    check_pair(NO_PATH, SAME, "", Agrees);
    check_three([NO_PATH, SAME, SAME], TOO_MANY, Differs);
    check_three([SHORT_PATH, NO_PATH, SAME], "", Agrees);
    let root = root("root", SHORT_PATH);
    let (first, second) = {
        let first = root.authority("first", SAME);
        let second = first.authority("second", SAME);
        (first, second)
    };
    let server = second.server(SAME);
    let sent = [&server.der, &second.der, &first.der];
    check_for("localhost", &[&root.der], &sent, TOO_MANY, Differs);
    check_for("localhost", &[&first.der], &sent, "", Agrees);
}

#[test]
fn a_whole_chain_is_for_servers() {
    for change in [FOR_SERVERS, FOR_BOTH] {
        check_three([change, change, change], "", Agrees);
    }
    check_pair(FOR_ALL, SAME, "", Agrees);
    check_pair(SAME, FOR_ALL, "", Differs);
    check_three([SAME, FOR_ALL, FOR_SERVERS], "", Differs);
    check_pair(FOR_CLIENTS, SAME, INCOMPATIBLE, Differs);
    check_three([SAME, FOR_CLIENTS, SAME], INCOMPATIBLE, Agrees);
    check_pair(SAME, FOR_CLIENTS, INCOMPATIBLE, Agrees);
}

#[test]
fn expired_and_future_certificates_are_refused() {
    check_pair(SAME, EXPIRED, &expired("after", "2026-01-01"), Agrees);
    check_pair(SAME, FUTURE, &expired("before", "2028-01-01"), Agrees);
}

#[test]
fn critical_extensions_must_be_known() {
    check_pair(SAME, CRITICAL, UNHANDLED, Agrees);
    check_pair(SAME, POLICY, "", Differs);
}

#[test]
fn an_authority_can_require_a_policy() {
    check_three([SAME, NEEDS_AND_HAS_POLICY, POLICY], "", Differs);
    let wrong = "no valid chains built: 1 candidate chains with invalid policies";
    check_three([SAME, NEEDS_AND_HAS_POLICY, SAME], wrong, Agrees);
    check_three([SAME, NEEDS_POLICY, POLICY], wrong, Agrees);
}

#[test]
fn an_authority_is_found_by_name_and_then_by_key() {
    let (root_one, root_two) = (root("root", SAME), root("root", SAME));
    let server = root_two.server(SAME);
    let wrong_key = unable("root", "x509: ECDSA verification failure");
    check_for("localhost", &[&root_one.der], &[&server.der], &wrong_key, Agrees);
    check_for("localhost", &[&root_one.der, &root_two.der], &[&server.der], "", Agrees);
    let expired = root_two.renewed(EXPIRED);
    check_for("localhost", &[&expired, &root_two.der], &[&server.der], "", Agrees);
    check_for("localhost", &[&root_two.der, &expired], &[&server.der], "", Agrees);
}

#[test]
fn authorities_that_sign_each_other_form_no_endless_chain() {
    let (one, two, other) = (root("one", SAME), root("two", SAME), root("other", SAME));
    let (one_by_two, two_by_one) = (two.cross_sign(&one), one.cross_sign(&two));
    let server = one.server(SAME);
    let sent = [&server.der, &one_by_two, &two_by_one, &one.der, &two.der];
    check_for("localhost", &[&other.der], &sent, UNKNOWN, Agrees);
    check_for("localhost", &[&two.der], &sent, "", Agrees);
}

#[test]
fn a_server_cannot_make_us_check_many_signatures() {
    let right = root("right", SAME);
    let server = right.server(SAME);
    let wrong: Vec<Entity> = (0..101).map(|_| root("right", SAME)).collect();
    let mut sent = vec![&server.der];
    sent.extend(wrong.iter().map(|entity| &entity.der));
    let other = root("other", SAME);
    let limit = "signature check attempts limit reached while verifying certificate chain";
    check_for("localhost", &[&other.der], &sent, limit, Agrees);
    check_for("localhost", &[&right.der], &sent, "", Agrees);
}

#[test]
fn an_authority_certifies_only_the_names_that_it_may() {
    let not_permitted = |kind: &str, name: &str| {
        format!(
            "a root or intermediate certificate is not authorized to sign for this name: {kind} \
             {name:?} is not permitted by any constraint"
        )
    };
    let both: Change = |params| constrain(params, &["localhost", "127.0.0.0"], &[]);
    check_pair(both, SAME, "", Agrees);
    let wrong_name = not_permitted("DNS name", "localhost");
    check_pair(|params| constrain(params, &["example.org"], &[]), SAME, &wrong_name, Agrees);
    let wrong_address = not_permitted("IP address", "127.0.0.1");
    check_pair(|params| constrain(params, &["10.0.0.0"], &[]), SAME, &wrong_address, Agrees);
    let excluded: Change = |params| constrain(params, &[], &["localhost"]);
    let is_excluded = "a root or intermediate certificate is not authorized to sign for this name: \
                       DNS name \"localhost\" is excluded by constraint \"localhost\"";
    check_pair(excluded, SAME, is_excluded, Agrees);
    check_three([excluded, SAME, SAME], is_excluded, Agrees);
    check_three([SAME, excluded, SAME], is_excluded, Agrees);
    check_pair(|params| constrain(params, &[], &["10.0.0.0"]), SAME, "", Agrees);
}

#[test]
fn a_certificate_is_valid_only_for_its_names() {
    let root = root("root", SAME);
    let check = |server: &Entity, host: &str, expected: &str| {
        check_for(host, &[&root.der], &[&server.der], expected, Agrees);
    };
    let server = root.server(|params| {
        let address = SanType::IpAddress("::1".parse().unwrap());
        let wildcard = SanType::DnsName("*.example.org".try_into().unwrap());
        params.subject_alt_names.extend([address, wildcard]);
    });
    check(&server, "localhost", "");
    check(&server, "127.0.0.1", "");
    check(&server, "::1", "");
    check(&server, "a.example.org", "");
    let names = "certificate is valid for localhost, *.example.org, not";
    check(&server, "example.org", &format!("{names} example.org"));
    check(&server, "10.0.0.1", "certificate is valid for 127.0.0.1, ::1, not 10.0.0.1");
    let only_address = root.server(|params| drop(params.subject_alt_names.remove(0)));
    let nothing = "certificate is not valid for any names, but wanted to match localhost";
    check(&only_address, "localhost", nothing);
    let only_name = root.server(|params| drop(params.subject_alt_names.pop()));
    check(
        &only_name,
        "127.0.0.1",
        "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs",
    );
    let only_common_name = root.server(|params| params.subject_alt_names.clear());
    let legacy = "certificate relies on legacy Common Name field, use SANs instead";
    check(&only_common_name, "server", legacy);
    check(&only_common_name, "localhost", nothing);
    let many = root.server(|params| {
        let name = |n| SanType::DnsName(format!("n{n}.example").try_into().unwrap());
        params.subject_alt_names.extend((0..99).map(name));
    });
    check(&many, "other", "certificate is valid for 100 names, but none matched other");
}

#[test]
fn every_change_of_a_signed_certificate_is_noticed() {
    let root = root("root", SAME);
    let server = root.server(SAME).der;
    for place in 0..server.len() {
        for flip in [1, 0x80] {
            let mut changed = server.to_vec();
            changed[place] ^= flip;
            let roots = Roots::of(vec![root.der.clone()]);
            let refusal = refusal(roots, &[changed.into()], "localhost");
            assert!(refusal.is_some(), "byte {place}");
        }
        let cut = server[..place].to_vec();
        let text = refusal(Roots::of(vec![root.der.clone()]), &[cut.into()], "localhost").unwrap();
        assert_eq!(
            text,
            "tls: failed to parse certificate from server: x509: malformed certificate"
        );
    }
}
