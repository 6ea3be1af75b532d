//! Compiles a controller from the standard input to the standard output, within bounds; what a
//! host starts as its child.
//!
//! `cargo run -p aigen-jarvis-host --example compiler < controller.wasm > controller.image`

fn main() -> std::process::ExitCode {
    aigen_jarvis_host::compile_child()
}
