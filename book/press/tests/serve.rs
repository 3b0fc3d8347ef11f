//! The server of `cargo book serve`, over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use press::serve::Site;

/// A site with a page, a style sheet and a page for "not found", and next to it a file that is none of its business.
fn site() -> (tempfile::TempDir, Site, SocketAddr) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("book");
    std::fs::create_dir_all(root.join("css")).unwrap();
    std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    std::fs::write(root.join("index.html"), "<html><body><p>Hello</p></body></html>").unwrap();
    std::fs::write(root.join("404.html"), "<html><body><p>Nowhere</p></body></html>").unwrap();
    std::fs::write(root.join("css/a.css"), "p { color: red }").unwrap();
    let site = Site::listen(root, "127.0.0.1", 0).unwrap();
    let address = site.address().unwrap();
    let answering = site.clone();
    std::thread::spawn(move || answering.answer());
    (folder, site, address)
}

/// Sends a request line as it is: a client library would tidy the path up.
fn request(address: SocketAddr, line: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn pages_and_assets_have_their_types() {
    let (_folder, site, address) = site();
    let page = request(address, "GET /");
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    assert!(page.contains("Content-Type: text/html; charset=utf-8"), "{page}");
    assert!(page.contains("<p>Hello</p><script>"), "{page}");
    let style = request(address, "GET /css/a.css?version=1");
    assert!(style.starts_with("HTTP/1.1 200 ") && style.contains("Content-Type: text/css"), "{style}");
    assert!(style.ends_with("p { color: red }"), "{style}");
    let folder = request(address, "GET /css");
    assert!(folder.starts_with("HTTP/1.1 301 ") && folder.contains("Location: /css/"), "{folder}");
    site.stop();
}

#[test]
fn what_is_not_there_gets_the_page_for_it() {
    let (_folder, site, address) = site();
    let page = request(address, "GET /none.html");
    assert!(page.starts_with("HTTP/1.1 404 ") && page.contains("Nowhere"), "{page}");
    site.stop();
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let (_folder, site, address) = site();
    for path in [
        "/../secret.txt",
        "/css/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//../secret.txt",
    ] {
        let answer = request(address, &format!("GET {path}"));
        assert!(answer.starts_with("HTTP/1.1 404 ") && !answer.contains("secret"), "{path}: {answer}");
    }
    site.stop();
}

#[test]
fn only_reading_is_allowed() {
    let (_folder, site, address) = site();
    assert!(request(address, "POST /").starts_with("HTTP/1.1 405 "));
    let head = request(address, "HEAD /");
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("Hello"), "{head}");
    site.stop();
}

#[test]
fn a_page_of_an_older_build_is_told_at_once() {
    let (_folder, site, address) = site();
    let answer = request(address, "GET /-live?12345");
    assert!(answer.contains("\"version\":0") && answer.contains("\"problems\":[]"), "{answer}");
    site.stop();
}
