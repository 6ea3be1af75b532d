use crate::failure::{OrHint, hinted};
use anyhow::Result;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

/// Read at a time for a checksum.
const READ_BYTES: usize = 1 << 20;

const MAGIC: &[u8; 4] = b"GGUF";

/// Versions that llama.cpp reads.
const VERSIONS: [u32; 2] = [2, 3];

/// Checks that a file begins as GGUF does, and gives its size in bytes. Whether the rest is
/// whole is known when the model is loaded.
///
/// # Errors
/// A file that is missing or something else.
pub fn check(path: &Path) -> Result<u64> {
    let mut file = File::open(path).or_hint(
        format!("cannot open the model file {}", path.display()),
        "give the path of a GGUF file; `aigen model list` shows the models that are here",
    )?;
    let mut head = [0; 8];
    match file.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(not_gguf(path)),
        Err(error) => {
            return Err(error).or_hint(
                format!("cannot read the model file {}", path.display()),
                "give the path of a GGUF file",
            );
        }
    }
    let (magic, version) = head.split_at(4);
    if magic != MAGIC {
        return Err(not_gguf(path));
    }
    let version = u32::from_le_bytes(version.try_into().expect("four bytes are left"));
    if !VERSIONS.contains(&version) {
        return Err(hinted(
            format!(
                "{} is GGUF of version {version}; versions 2 and 3 are known",
                path.display()
            ),
            "convert it with llama.cpp's tools, or get a newer file of the model",
        ));
    }
    Ok(file.metadata()?.len())
}

/// Checks that the file is as long as its header says, and of a kind that can be served.
///
/// # Errors
/// What it lacks.
pub fn check_whole(path: &Path) -> Result<()> {
    aigen_engine_llama::check_file(path).map_err(|error| {
        let hint = error.hint();
        hinted(error, hint)
    })
}

/// Reads the file and compares its SHA-256, in hexadecimal digits.
///
/// # Errors
/// Another one.
pub fn check_sha256(path: &Path, expected: &str) -> Result<()> {
    let mut hasher = Sha256::new();
    let mut file = BufReader::with_capacity(READ_BYTES, File::open(path)?);
    loop {
        let part = file.fill_buf()?;
        if part.is_empty() {
            break;
        }
        hasher.update(part);
        let read = part.len();
        file.consume(read);
    }
    let found = hex::encode(hasher.finalize());
    match found == expected {
        true => Ok(()),
        false => Err(hinted(
            format!(
                "{} has the SHA-256 {found}, and {expected} was expected",
                path.display()
            ),
            "get the file again, or compare where the checksum comes from",
        )),
    }
}

fn not_gguf(path: &Path) -> anyhow::Error {
    hinted(
        format!("{} is not a GGUF model file", path.display()),
        "models come as GGUF: look for a file that ends in .gguf, or convert one with llama.cpp's tools",
    )
}
