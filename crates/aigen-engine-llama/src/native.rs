//! The few calls of llama.cpp the binding has no safe form of.
#![allow(unsafe_code)] // Each block says why it is sound.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Mutex, OnceLock};

use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_sys_2 as sys;

/// llama.cpp itself, started once per process and never stopped, with its log
/// routed to `tracing` at debug level (target `llama.cpp`), so that it is silent
/// unless somebody asks.
pub(crate) fn backend() -> &'static LlamaBackend {
    static BACKEND: OnceLock<LlamaBackend> = OnceLock::new();
    BACKEND.get_or_init(|| {
        // SAFETY: the callback is a plain function that lives for ever, uses no
        // user data, and never unwinds.
        unsafe { sys::llama_log_set(Some(log), std::ptr::null_mut()) };
        LlamaBackend::init().expect("nothing else in this process starts llama.cpp")
    })
}

/// The first error llama.cpp logged since the last call of this function: the only
/// place where it says why it refused something. (Those that follow only say that
/// it did.)
pub(crate) fn take_first_error() -> Option<String> {
    FIRST_ERROR.lock().ok()?.take()
}

static FIRST_ERROR: Mutex<Option<String>> = Mutex::new(None);

extern "C" fn log(level: sys::ggml_log_level, text: *const c_char, _: *mut c_void) {
    if text.is_null() {
        return;
    }
    // SAFETY: llama.cpp passes a NUL-terminated string that outlives this call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    let text = text.trim();
    if level == sys::GGML_LOG_LEVEL_ERROR
        && let Ok(mut first) = FIRST_ERROR.lock()
    {
        first.get_or_insert_with(|| text.to_owned());
    }
    if !text.is_empty() && text != "." {
        tracing::debug!(target: "llama.cpp", "{text}");
    }
}

/// The processor features llama.cpp was compiled to use and this machine lacks.
#[cfg(target_arch = "x86_64")]
pub(crate) fn missing_features() -> Vec<&'static str> {
    use std::arch::is_x86_feature_detected as here;
    type Compiled = unsafe extern "C" fn() -> c_int;
    let features: [(&str, Compiled, bool); 6] = [
        ("avx", sys::ggml_cpu_has_avx, here!("avx")),
        ("avx2", sys::ggml_cpu_has_avx2, here!("avx2")),
        ("bmi2", sys::ggml_cpu_has_bmi2, here!("bmi2")),
        ("f16c", sys::ggml_cpu_has_f16c, here!("f16c")),
        ("fma", sys::ggml_cpu_has_fma, here!("fma")),
        ("avx512f", sys::ggml_cpu_has_avx512, here!("avx512f")),
    ];
    // SAFETY: these take nothing, touch nothing and return a constant.
    let compiled = |function: Compiled| unsafe { function() } != 0;
    let missing = features
        .into_iter()
        .filter(|(_, function, here)| !here && compiled(*function));
    missing.map(|(name, _, _)| name).collect()
}

/// Elsewhere the compiler's target says it all.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn missing_features() -> Vec<&'static str> {
    Vec::new()
}
