//! The `User-Agent` header.

/// The header's value, for example `locustctl/0.1.0 (linux/amd64)`. It has kubectl's form, and Go's
/// names for operating system and architecture.
pub fn value() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("locustctl/{} ({system}/{architecture})", env!("CARGO_PKG_VERSION"))
}
