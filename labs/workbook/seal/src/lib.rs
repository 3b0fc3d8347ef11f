//! `seal::open!("…")`: what stands in a handout where the repository has an answer.
//!
//! A handout is a copy of the workbook for a class (`cargo workbook author handout`). The learner's code is compared with
//! the reference, and the nodes run it, so the answers must be there and must compile, on any machine. They are not
//! there to be read: each body between `// <exercise N.M>` and `// </exercise>` is a seal, which this macro opens while
//! the crate is compiled. That is a curtain and not a lock. Whoever wants to look behind it can.

mod code;

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// The body behind a seal, as a block.
#[proc_macro]
pub fn open(input: TokenStream) -> TokenStream {
    match opened(input) {
        Ok(body) => TokenTree::Group(Group::new(Delimiter::Brace, body)).into(),
        // The text of a seal has no quotes in it, nor has what we say of it.
        Err(complaint) => {
            format!("::core::compile_error!(\"{}\")", complaint.escape_debug()).parse().unwrap_or_default()
        }
    }
}

fn opened(input: TokenStream) -> Result<TokenStream, String> {
    let text = input.to_string();
    let digits = text.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let body = code::open(digits.ok_or("seal::open! takes one string")?)?;
    body.parse().map_err(|error| format!("the body in the seal is no Rust: {error}"))
}
