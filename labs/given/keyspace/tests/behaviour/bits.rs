//! Strings as rows of bits.

use crate::support::Shell;

#[test]
fn single_bits() {
    let mut shell = Shell::new();
    shell.check(&[
        ("SETBIT b 7 1", "0"),
        ("SETBIT b 7 1", "1"),
        ("GETBIT b 7", "1"),
        ("GETBIT b 6", "0"),
        ("GETBIT b 4000", "0"),
        ("GETBIT missing 0", "0"),
        ("GET b", r#""\x01""#),
        ("SETBIT b 17 0", "0"),
        ("STRLEN b", "3"),
        ("OBJECT ENCODING b", r#""raw""#),
        ("SETBIT b 4294967296 1", "-ERR bit offset is not an integer or out of range"),
        ("SETBIT b -1 1", "-ERR bit offset is not an integer or out of range"),
        ("SETBIT b 1 2", "-ERR bit is not an integer or out of range"),
        ("SET number 12", "OK"),
        ("GETBIT number 2", "1"),
        ("SETBIT number 0 0", "0"),
        ("GET number", r#""12""#),
    ]);
    shell.check_told(&[
        ("SETBIT c 3 0", &["SETBIT c 3 0"]),
        ("SETBIT c 3 0", &[]),
        ("SETBIT c 3 1", &["SETBIT c 3 1"]),
    ]);
}

#[test]
fn counts_and_positions() {
    Shell::new().check(&[
        ("SET f foobar", "OK"),
        ("BITCOUNT f", "26"),
        ("BITCOUNT f 0 0", "4"),
        ("BITCOUNT f 1 1 BYTE", "6"),
        ("BITCOUNT f 5 30 BIT", "17"),
        ("BITCOUNT f -2 -1", "7"),
        ("BITCOUNT f -1 -2", "0"),
        ("BITCOUNT f 0", "-ERR syntax error"),
        ("BITCOUNT f 0 0 X", "-ERR syntax error"),
        ("BITCOUNT missing 0", "0"),
        ("BITPOS f 1", "1"),
        ("BITPOS f 0", "0"),
        ("BITPOS f 1 2", "17"),
        ("BITPOS f 1 7 15 BIT", "9"),
        ("BITPOS f 1 90", "-1"),
        ("BITPOS f 2", "-ERR The bit argument must be 1 or 0."),
        ("BITPOS missing 0", "0"),
        ("BITPOS missing 1", "-1"),
        ("SETBIT ones 0 1", "0"),
        ("BITPOS ones 1 1", "-1"),
        ("SET ones \x7f\x7f", "OK"),
        ("BITPOS ones 0 1 1 BIT", "-1"),
        ("BITPOS ones 0 1 7 BIT", "-1"),
        ("BITPOS ones 0 1 8 BIT", "8"),
    ]);
}

#[test]
fn operations_on_several_strings() {
    let mut shell = Shell::new();
    for line in ["SET a abc", "SET b A", "SADD s x"] {
        shell.run(line);
    }
    shell.check(&[
        ("BITOP AND to a b", "3"),
        ("GET to", r#""A\x00\x00""#),
        ("BITOP OR to a b missing", "3"),
        ("GET to", r#""abc""#),
        ("BITOP XOR to a a", "3"),
        ("GET to", r#""\x00\x00\x00""#),
        ("BITOP NOT to b", "1"),
        ("GET to", r#""\xbe""#),
        ("BITOP NOT to a b", "-ERR BITOP NOT must be called with a single source key."),
        ("BITOP NOR to a", "-ERR syntax error"),
        ("BITOP AND to a s", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("BITOP AND to missing", "0"),
        ("EXISTS to", "0"),
    ]);
}
