//! Every bound of the host, with its unit.

use std::time::Duration;

/// Bytes of a component as it is uploaded; an interpreter of Python has 18 MB.
pub const COMPONENT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of what a component is compiled to.
pub const IMAGE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Seconds of processor time that compiling any component may take: one of 30 kB takes less
/// than two tenths, a hostile one of 585 kB wanted 36.
pub const COMPILE_CPU_SECONDS: u64 = 20;
/// Seconds of processor time that it may take more for each MiB, begun or whole, of the
/// component. On the slowest machine measured interpreters took less than half of that: one
/// of Python, 18 MB, 20 to 26 seconds, where half a minute for all was too little for a slower
/// one yet, and one of JavaScript, 1.7 MB, 4.
pub const COMPILE_CPU_SECONDS_PER_MIB: u64 = 5;
/// Bytes of address space that compiling a component may take.
pub const COMPILE_MEMORY_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Components that compile at once.
pub const COMPILES_AT_ONCE_MAX: usize = 1;
/// Compiled components kept for the next request.
pub const COMPONENTS_CACHED_MAX: usize = 64;

/// Bytes of compiled components kept on the disk; those used last stay. An interpreter of
/// Python has some 60 MB.
pub const IMAGES_KEPT_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Requests that have a controller in WebAssembly at once.
pub const INSTANCES_MAX: u32 = 256;
/// Bytes of memory of one request.
pub const MEMORY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of memory of one request, where the component is an interpreter.
pub const INTERPRETER_MEMORY_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Elements of one table.
pub const TABLE_ELEMENTS_MAX: usize = 20_000;
/// Bytes of a guest's stack.
pub const STACK_BYTES_MAX: usize = 512 * 1024;
/// Modules, memories and tables of one component. A componentised module has three
/// modules, one memory and two tables; an interpreter of Python has 38 modules.
pub const PARTS_MAX: u32 = 64;
/// Grammars, matchers and token sets of one request. A matcher is some 100 kB.
pub const HANDLES_MAX: usize = 1024;

/// Fuel of one call of a step. A unit is about one instruction, and half a nanosecond.
pub const STEP_FUEL_MAX: u64 = 20_000_000;
/// Fuel of opening a session: an interpreter reads its program.
pub const OPEN_FUEL_MAX: u64 = 200_000_000;
/// Fuel of one request.
pub const REQUEST_FUEL_MAX: u64 = 4_000_000_000;
/// A step that uses more fuel is late. Fuel and not time, so that a busy machine makes nobody
/// late.
pub const LATE_FUEL: u64 = 2_000_000;
/// Fuel of a step on the scheduler's thread, on which everybody waits: some 0.1 ms. With more it
/// goes on elsewhere, and the batch without it, until the next tick at the latest. Elsewhere it
/// takes turns with others after as much.
pub const SLICE_FUEL: u64 = 200_000;
/// Fuel that a call to the host costs, beside what it costs by its size.
pub const HOST_CALL_FUEL: u64 = 100;
/// Bytes that one call to the host may carry. Wasmtime's own bound is 128 MiB.
pub const HOST_CALL_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of the reason that a guest gives for failing, as its caller is told it.
pub const REASON_BYTES_MAX: usize = 1024;

/// How often it is looked whether a call takes too long.
pub const TICK: Duration = Duration::from_millis(5);
/// Ticks that one step may take: 25 ms. Where other programs keep it from running, so much of
/// the processor's time again, so that a busy machine ends nobody.
pub const STEP_TICKS_MAX: u64 = 5;
/// Ticks that opening a session may take: half a second.
pub const OPEN_TICKS_MAX: u64 = 100;
/// Ticks after which being kept from running is no excuse: 10 s. The threads of guests come
/// after everybody else's on a busy machine.
pub const EXCUSED_TICKS_MAX: u64 = 2000;
/// No tick for so long: nothing would end a call, so nothing is started.
pub const HEARTBEAT_MAX: Duration = Duration::from_secs(2);
/// Threads on which sessions are opened and long steps go on: half the processors, but so many.
pub const THREADS_MIN: usize = 2;
/// How much those threads give way to the engine's, as `nice` counts it: beside one that is
/// always busy each has a tenth of a processor. Without it three strangers whose guests start
/// without end took half of two processors.
pub const NICENESS: i32 = 10;
