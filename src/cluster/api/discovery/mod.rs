//! Discovery: the types that the server has. It uses the aggregated form if the server knows it,
//! and the older form otherwise. Nothing is cached for the next run.

mod document;
mod fetch;
mod lookup;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use parking_lot::Mutex;

use self::document::GroupVersion;
pub use self::lookup::ScaleSupport;
use super::client::Client;
use super::error::Error;
use super::event::Event;
use super::resource::Resource;

/// The types of one server, in the server's order.
#[derive(Debug)]
pub struct Discovery {
    group_versions: Vec<GroupVersion>,
    /// Warnings that were reported already.
    warned: Mutex<Vec<String>>,
    on_event: fn(Event<'_>),
}

impl Discovery {
    /// Asks the server for all its types. This takes two requests, and one more for each group
    /// version if the server does not know aggregated discovery.
    ///
    /// A group version that cannot be read is logged to stderr, and its types stay unknown. The
    /// types that the server calls stale stay unknown too.
    ///
    /// # Errors
    /// Any of [`Error`], when the list of groups cannot be read. The body of a refusal is
    /// ignored, as in client-go.
    pub async fn fetch(client: &Client) -> Result<Self, Error> {
        Ok(Self::of(fetch::group_versions(client).await?, client.options.on_event))
    }

    fn of(group_versions: Vec<GroupVersion>, on_event: fn(Event<'_>)) -> Self {
        Self { group_versions, warned: Mutex::default(), on_event }
    }

    /// Finds the type of a user's token: `TYPE`, `TYPE.GROUP` with a prefix of the group, or
    /// `TYPE.VERSION.GROUP`. `TYPE` is a plural or singular name in any case, a short name in the
    /// server's spelling, or a kind. `None` if the server has no such type.
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

    /// The types with a scale subresource, each once, in the server's order.
    pub fn scalable(&self) -> Vec<Arc<Resource>> {
        lookup::scalable(&self.group_versions)
    }

    /// Finds the version of the type's group that has a scale subresource.
    pub fn scale_support(&self, resource: &Resource) -> ScaleSupport {
        lookup::scale_support(&self.group_versions, resource)
    }

    /// The types of a category such as `all`, in the server's order; `None` if there is no such
    /// category.
    pub fn category(&self, token: &str) -> Option<Vec<Arc<Resource>>> {
        lookup::category(&self.group_versions, token)
    }

    /// The type of a manifest's `apiVersion` and `kind`.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let here = |all: &&GroupVersion| all.group == group && all.version == version;
        self.group_versions.iter().find(here)?.type_by_kind(kind)
    }
}
