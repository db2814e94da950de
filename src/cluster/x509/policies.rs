//! The extensions about certificate policies (RFC 5280, sections 4.2.1.4, 4.2.1.5, 4.2.1.11 and
//! 4.2.1.14).

use std::collections::BTreeSet;

use super::der::{OBJECT_IDENTIFIER, Reader, SEQUENCE, context, small_number};
use super::malformed::Malformed;

/// The extensions about policies.
#[derive(Debug, Default)]
pub struct Policies<'a> {
    pub policies: Vec<&'a [u8]>,
    /// Pairs of an issuer's policy and the subject's policy that stands for it.
    pub mappings: Vec<(&'a [u8], &'a [u8])>,
    pub require_explicit: Option<u64>,
    pub inhibit_mapping: Option<u64>,
    pub inhibit_any: Option<u64>,
}

impl<'a> Policies<'a> {
    pub fn read_policies(&mut self, mut value: Reader<'a>) -> Result<(), Malformed> {
        let invalid = "invalid certificate policies";
        let mut list = value.nested(SEQUENCE).ok_or(invalid)?;
        let mut seen = BTreeSet::new();
        while !list.is_empty() {
            let policy =
                list.nested(SEQUENCE).and_then(|mut policy| policy.content(OBJECT_IDENTIFIER));
            let policy = policy.filter(|policy| seen.insert(*policy)).ok_or(invalid)?;
            self.policies.push(policy);
        }
        Ok(())
    }

    pub fn read_mappings(&mut self, mut value: Reader<'a>) -> Result<(), Malformed> {
        let invalid = "invalid policy mappings extension";
        let mut list = value.nested(SEQUENCE).ok_or(invalid)?;
        while !list.is_empty() {
            let mut pair = list.nested(SEQUENCE).ok_or(invalid)?;
            let issuer = pair.content(OBJECT_IDENTIFIER).ok_or(invalid)?;
            let subject = pair.content(OBJECT_IDENTIFIER).ok_or(invalid)?;
            self.mappings.push((issuer, subject));
        }
        Ok(())
    }

    pub fn read_constraints(&mut self, mut value: Reader<'a>) -> Result<(), Malformed> {
        let invalid = "invalid policy constraints extension";
        let mut fields = value.nested(SEQUENCE).ok_or(invalid)?;
        let mut field = |tag| match fields.optional(tag).ok_or(invalid)? {
            Some(content) => small_number(content).map(Some).ok_or(invalid),
            None => Ok(None),
        };
        self.require_explicit = field(context(0))?;
        self.inhibit_mapping = field(context(1))?;
        Ok(())
    }

    pub fn read_inhibit_any(&mut self, mut value: Reader<'a>) -> Result<(), Malformed> {
        let number = value.small_integer().ok_or("invalid inhibit any policy extension")?;
        self.inhibit_any = Some(number);
        Ok(())
    }
}
