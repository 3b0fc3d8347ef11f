//! From the path of a request to a file below one folder, and never to one outside it.

use std::path::{Path, PathBuf};

use crate::check::html::percent_decoded;

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// This file.
    File(PathBuf),
    /// A folder, but without the slash at the end that its links count from.
    Folder,
    /// Nothing that we serve.
    Nothing,
}

/// The file below `root` for the path and query `url`.
pub(super) fn find(root: &Path, url: &str) -> Found {
    let path = percent_decoded(url.split(['?', '#']).next().unwrap_or_default());
    let Some(below) = path.strip_prefix('/') else { return Found::Nothing };
    let mut file = root.to_path_buf();
    for part in below.split('/').filter(|part| !part.is_empty()) {
        // `..`, hidden files, and what other systems read as a drive or a separator.
        if part.starts_with('.') && part != ".nojekyll" || part.contains(['\\', ':', '\0']) {
            return Found::Nothing;
        }
        file.push(part);
    }
    if file.is_dir() {
        if !below.is_empty() && !below.ends_with('/') {
            return Found::Folder;
        }
        file.push("index.html");
    }
    // A symbolic link could still lead out.
    let inside = match (file.canonicalize(), root.canonicalize()) {
        (Ok(file), Ok(root)) => file.starts_with(root) && file.is_file(),
        _ => false,
    };
    if inside { Found::File(file) } else { Found::Nothing }
}

/// The content type for a file's name.
pub(super) fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json; charset=utf-8",
        "txt" | "md" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "ttf" => "font/ttf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_is_found() {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("secret.txt"), "").unwrap();
        let root = outer.path().join("book");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("index.html"), "").unwrap();
        std::fs::write(root.join("sub/é a.css"), "").unwrap();
        std::fs::write(root.join(".hidden"), "").unwrap();
        assert_eq!(find(&root, "/"), Found::File(root.join("index.html")));
        assert_eq!(find(&root, "/?x=/../"), Found::File(root.join("index.html")));
        assert_eq!(find(&root, "/sub/%C3%A9%20a.css"), Found::File(root.join("sub/é a.css")));
        assert_eq!(find(&root, "/sub"), Found::Folder);
        for wrong in [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/sub/../../secret.txt",
            "/..%2fsecret.txt",
            "/..\\secret.txt",
            "/.hidden",
            "/sub/",
            "/no",
            "no",
            "",
            "//etc/passwd",
            "/C:/x",
            "/%00",
        ] {
            assert_eq!(find(&root, wrong), Found::Nothing, "{wrong}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_does_not_lead_out() {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("secret.txt"), "").unwrap();
        let root = outer.path().join("book");
        std::fs::create_dir(&root).unwrap();
        std::os::unix::fs::symlink(outer.path().join("secret.txt"), root.join("link.txt")).unwrap();
        assert_eq!(find(&root, "/link.txt"), Found::Nothing);
    }
}
