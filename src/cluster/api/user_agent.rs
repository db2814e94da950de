//! The `User-Agent` header.

/// `locustctl/0.1.0 (linux/amd64)`: as kubectl's, with Go's names for system and processor.
pub fn text() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("locustctl/{} ({system}/{processor})", env!("CARGO_PKG_VERSION"))
}
