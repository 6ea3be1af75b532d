# Read where llama.cpp's build begins its kernels: `CMAKE_PROJECT_ggml_INCLUDE` in .cargo/config.toml names it.
#
# Two things that flash attention waits for, with 16 sequences of 2 million parameters, which make 5,870 tokens a second
# without either and 6,920 with both:
#
# - It passes over every cell of the cache, most of them somebody else's. GCC 12 makes pointers to a cell's key and
#   value run along with that loop, and keeps them in memory: 1.2 ns a cell.
# - It turns values from BF16 to F32 by a function that is compiled for every processor there is, outside the kernels.
#   It may be compiled for those that the kernels are for: on others no model is opened at all.
function(compile_attention)
    if(NOT TARGET ggml-cpu OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        return()
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        set_property(
            SOURCE "${CMAKE_CURRENT_SOURCE_DIR}/src/ggml-cpu/ops.cpp" TARGET_DIRECTORY ggml-cpu
            APPEND PROPERTY COMPILE_OPTIONS -fno-ivopts)
    endif()
    if(GGML_AVX2 AND CMAKE_C_COMPILER_ID MATCHES "GNU|Clang")
        set_property(
            SOURCE "${CMAKE_CURRENT_SOURCE_DIR}/src/ggml.c" TARGET_DIRECTORY ggml-base
            APPEND PROPERTY COMPILE_OPTIONS -mavx2)
    endif()
endfunction()
cmake_language(DEFER CALL compile_attention)
