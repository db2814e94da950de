//! What types the server has: discovery, in its aggregated form where the server knows it, and in
//! the older one otherwise. Nothing of it is kept for the next run.

mod document;
mod fetch;
mod lookup;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::Mutex;

use self::document::GroupVersion;
use super::client::Client;
use super::error::Error;
use super::event::Event;
use super::resource::Resource;

/// The types of one server, in the order in which it lists them.
#[derive(Debug)]
pub struct Discovery {
    group_versions: Vec<GroupVersion>,
    /// Warnings that were reported already.
    warned: Mutex<Vec<String>>,
    on_event: fn(Event<'_>),
}

impl Discovery {
    /// Asks the server for all its types: two requests, and one more for each group version when
    /// it does not know aggregated discovery.
    ///
    /// A group version that cannot be had is logged to stderr, and its types are unknown; so are
    /// those that the server itself calls stale.
    ///
    /// # Errors
    /// Any of [`Error`], when the list of groups cannot be had. As in client-go, what a refusal
    /// says in its body does not count.
    pub async fn fetch(client: &Client) -> Result<Self, Error> {
        Ok(Self::of(fetch::group_versions(client).await?, client.options.on_event))
    }

    fn of(group_versions: Vec<GroupVersion>, on_event: fn(Event<'_>)) -> Self {
        Self { group_versions, warned: Mutex::default(), on_event }
    }

    /// The type that a user's token means: `TYPE`, `TYPE.GROUP` with the beginning of the group,
    /// or `TYPE.VERSION.GROUP`, where TYPE is a plural or singular name in any case, a short name
    /// as the server has it, or a kind. `None` when the server has none like it.
    ///
    /// A short name that stands for another type as well is reported as an [`Event::Warning`], as
    /// kubectl's `restmapper/shortcut.go` does.
    pub fn find(&self, token: &str) -> Option<Arc<Resource>> {
        let (found, warnings) = lookup::find(&self.group_versions, token);
        for warning in warnings {
            let mut warned = self.warned.lock();
            if !warned.contains(&warning) {
                (self.on_event)(Event::Warning(&warning));
                warned.push(warning);
            }
        }
        found
    }

    /// The types with a scale subresource, each once, in the order in which the server lists them.
    pub fn scalable(&self) -> Vec<Arc<Resource>> {
        lookup::scalable(&self.group_versions)
    }

    /// The types of a category such as `all`, in the server's order; `None` for a token that is
    /// no category.
    pub fn category(&self, token: &str) -> Option<Vec<Arc<Resource>>> {
        lookup::category(&self.group_versions, token)
    }

    /// The type of an object's `apiVersion` and `kind`, as a manifest has them.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let here = |all: &&GroupVersion| all.group == group && all.version == version;
        self.group_versions.iter().find(here)?.of_kind(kind)
    }
}
