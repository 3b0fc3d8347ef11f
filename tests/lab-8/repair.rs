// 8.10: what a slot needs that was left open, or that nobody has.

fn finding(node: char) -> Finding<char> {
    Finding { node, owns: false, migrating: None, importing: None, keys: 0 }
}

fn show_finding(finding: &Finding<char>) -> String {
    let mut parts = Vec::new();
    if finding.owns {
        parts.push("owns it".to_string());
    }
    if let Some(to) = finding.migrating {
        parts.push(format!("MIGRATING {to}"));
    }
    if let Some(from) = finding.importing {
        parts.push(format!("IMPORTING {from}"));
    }
    if finding.keys > 0 {
        parts.push(format!("{} keys", finding.keys));
    }
    let parts = if parts.is_empty() { "nothing".to_string() } else { parts.join(", ") };
    format!("{}: {parts}", finding.node)
}

fn show_mend(mend: &Mend<char>) -> String {
    match mend {
        Mend::Stable { at } => format!("{at} STABLE"),
        Mend::Own { at } => format!("{at} takes it"),
        Mend::Yield { at, to } => format!("{at} yields to {to}"),
        Mend::Transfer { from, to } => format!("transfer {from} → {to}"),
        Mend::MoveKeys { from, to } => format!("keys {from} → {to}"),
        Mend::Tell { at, owner } => format!("tell {at} {owner}"),
    }
}

fn show_findings(findings: &[Finding<char>]) -> String {
    findings.iter().map(show_finding).collect::<Vec<_>>().join("; ")
}

fn show_mends(mends: &[Mend<char>]) -> String {
    let shown = mends.iter().map(show_mend).collect::<Vec<_>>().join(", ");
    if shown.is_empty() { "nothing".into() } else { shown }
}

/// Carries a repair out on the findings; `None` if a step must fail. A node that does not own the slot cannot let it go.
fn mended(findings: &[Finding<char>], mends: &[Mend<char>]) -> Option<Vec<Finding<char>>> {
    let mut nodes = findings.to_vec();
    let place = |name| findings.iter().position(|finding| finding.node == name);
    for mend in mends {
        match *mend {
            Mend::Stable { at } => {
                let node = &mut nodes[place(at)?];
                (node.migrating, node.importing) = (None, None);
            }
            Mend::Own { at } => nodes[place(at)?].owns = true,
            Mend::Yield { at, to } => {
                let node = &mut nodes[place(at)?];
                (node.owns, node.importing) = (false, Some(to));
            }
            Mend::Transfer { from, to } => {
                let (from, to) = (place(from)?, place(to)?);
                if !nodes[from].owns {
                    return None;
                }
                nodes[to].keys += std::mem::take(&mut nodes[from].keys);
                (nodes[from].owns, nodes[from].migrating) = (false, None);
                (nodes[to].owns, nodes[to].importing) = (true, None);
            }
            Mend::MoveKeys { from, to } => {
                let (from, to) = (place(from)?, place(to)?);
                nodes[to].keys += std::mem::take(&mut nodes[from].keys);
            }
            Mend::Tell { .. } => {}
        }
    }
    Some(nodes)
}

/// Whatever is done: one owner, who has all the keys.
fn one_owner_has_all(findings: &[Finding<char>], mends: &[Mend<char>]) -> Result<(), Broken> {
    let Some(after) = mended(findings, mends) else {
        return Err(Broken::new("Every step of a repair can be carried out.", show_mends(mends)));
    };
    let owners: Vec<&Finding<char>> = after.iter().filter(|finding| finding.owns).collect();
    let elsewhere = after.iter().any(|finding| !finding.owns && finding.keys > 0);
    if owners.len() != 1 || elsewhere {
        return Err(Broken::new(
            "In the end one node owns the slot and has all its keys.",
            format!("after {}: {}", show_mends(mends), show_findings(&after)),
        ));
    }
    Ok(())
}

fn close(trace: &mut Trace, findings: &[Finding<char>]) -> Result<(), Broken> {
    let mends = lab::close(findings);
    let shown = mends.as_ref().map_or("unclear".to_string(), |mends| show_mends(mends));
    trace.call(show_findings(findings), shown);
    mends.map_or(Ok(()), |mends| one_owner_has_all(findings, &mends))
}

fn cover(trace: &mut Trace, findings: &[Finding<char>]) -> Result<(), Broken> {
    let mends = lab::cover(findings, 'C');
    trace.call(format!("{}; spare: C", show_findings(findings)), show_mends(&mends));
    one_owner_has_all(findings, &mends)
}

fn repairs(trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "an open slot");
    let (a, b, c) = (finding('A'), finding('B'), finding('C'));
    let owner = Finding { owns: true, ..a };
    let full = Finding { keys: 4, ..owner };
    let leaves = |finding: Finding<char>| Finding { migrating: Some('B'), ..finding };
    let arrives = |finding: Finding<char>| Finding { importing: Some('A'), ..finding };
    let keys = |finding: Finding<char>, keys| Finding { keys, ..finding };
    for findings in [
        vec![leaves(full), arrives(b), c],
        vec![leaves(owner), arrives(b), c],
        vec![leaves(full), arrives(keys(b, 3)), c],
        vec![leaves(full), arrives(keys(b, 4)), c],
        vec![leaves(full), arrives(keys(b, 5)), c],
        vec![leaves(owner), arrives(keys(b, 5)), c],
        vec![full, arrives(b), c],
        vec![full, arrives(b), arrives(c)],
        vec![full, arrives(keys(b, 1)), keys(c, 1)],
        vec![leaves(full), arrives(b), arrives(c)],
        vec![leaves(Finding { migrating: Some('C'), ..full }), c, arrives(b)],
        vec![Finding { migrating: Some('D'), ..full }, arrives(b), arrives(c)],
        vec![leaves(full), b, c],
        vec![leaves(owner), b, c],
        vec![leaves(a), Finding { owns: true, keys: 3, ..b }, c],
        vec![a, arrives(keys(b, 2)), c],
        vec![a, arrives(b), c],
        vec![full, Finding { owns: true, keys: 1, ..b }, c],
        vec![leaves(full), Finding { owns: true, ..leaves(b) }, c],
        vec![leaves(a), arrives(b), Finding { owns: true, importing: Some('A'), ..c }],
        vec![leaves(a), Finding { owns: true, ..leaves(b) }, c],
    ] {
        close(trace, &findings)?;
    }
    trace.note(Millis::ZERO, None, "a slot that nobody claims");
    for findings in [
        vec![a, b, c],
        vec![keys(a, 2), b, c],
        vec![keys(a, 2), keys(b, 5), c],
        vec![keys(a, 2), keys(b, 2), arrives(keys(c, 1))],
        vec![a, b, keys(c, 1)],
    ] {
        cover(trace, &findings)?;
    }
    Ok(())
}

fn repair_from_seed(seed: u64, trace: &mut Trace) -> Result<(), Broken> {
    table(trace, "an open slot");
    let mut rng = Rng::new(seed);
    let nobody = rng.chance(20);
    let owner = rng.below(3);
    let mut findings = Vec::new();
    for (index, node) in ['A', 'B', 'C'].into_iter().enumerate() {
        let others = ['B', 'C', 'A', 'D'];
        findings.push(Finding {
            node,
            owns: !nobody && (index as u64 == owner || rng.chance(8)),
            migrating: if rng.chance(30) { rng.pick(&others).copied() } else { None },
            importing: if rng.chance(40) { rng.pick(&others).copied() } else { None },
            keys: if rng.chance(40) { rng.below(4) as usize } else { 0 },
        });
    }
    if nobody { cover(trace, &findings) } else { close(trace, &findings) }
}
