use std::io::Read;

use super::read::{Fault, Reader};

const DIMENSIONS_MAX: u32 = 4;

/// Reads the descriptions of all tensors and checks that their data, which follow
/// at the next multiple of `alignment`, lie within the file.
pub(super) fn check_all(
    reader: &mut Reader<impl Read>,
    count: u64,
    alignment: i64,
) -> Result<(), Fault> {
    let alignment = match u64::try_from(alignment) {
        Ok(alignment) if alignment.is_power_of_two() => alignment,
        _ => return Err(broken("its alignment is not a power of two")),
    };
    if count == 0 {
        return Ok(());
    }
    let mut end = 0_u64;
    for _ in 0..count {
        end = end.max(tensor(reader)?);
    }
    let start = reader.position().next_multiple_of(alignment);
    match start.checked_add(end) {
        Some(needed) if needed <= reader.size() => Ok(()),
        needed => {
            let needed = needed.unwrap_or(u64::MAX);
            Err(Fault::Ends {
                needed,
                actual: reader.size(),
            })
        }
    }
}

/// Where the tensor's data end, counted from the start of all data.
fn tensor(reader: &mut Reader<impl Read>) -> Result<u64, Fault> {
    let _name = reader.text()?;
    let dimensions = reader.u32()?;
    if dimensions > DIMENSIONS_MAX {
        return Err(broken("a tensor has more than 4 dimensions"));
    }
    let mut elements = 1_u64;
    for _ in 0..dimensions {
        elements = elements
            .checked_mul(reader.u64()?)
            .ok_or_else(|| broken("a tensor overflows"))?;
    }
    let (per_block, bytes) = block(reader.u32()?);
    let offset = reader.u64()?;
    let size = (elements / per_block).checked_mul(bytes);
    size.and_then(|size| size.checked_add(offset))
        .ok_or_else(|| broken("a tensor overflows"))
}

fn broken(reason: &str) -> Fault {
    Fault::Broken(reason.to_owned())
}

/// Elements and bytes of one block of a data type. A type unknown here counts as
/// taking no room, which leaves its check to llama.cpp.
fn block(kind: u32) -> (u64, u64) {
    match kind {
        0 | 26 => (1, 4),      // F32, I32
        1 | 25 | 30 => (1, 2), // F16, I16, BF16
        24 => (1, 1),          // I8
        27 | 28 => (1, 8),     // I64, F64
        2 => (32, 18),         // Q4_0
        3 => (32, 20),         // Q4_1
        6 => (32, 22),         // Q5_0
        7 => (32, 24),         // Q5_1
        8 => (32, 34),         // Q8_0
        10 => (256, 84),       // Q2_K
        11 => (256, 110),      // Q3_K
        12 => (256, 144),      // Q4_K
        13 => (256, 176),      // Q5_K
        14 => (256, 210),      // Q6_K
        _ => (1, 0),
    }
}
