# Read where llama.cpp's build begins its kernels: `CMAKE_PROJECT_ggml_INCLUDE` in .cargo/config.toml names it.
#
# Flash attention passes over every cell of the cache, most of them somebody else's. GCC 12 makes pointers to a
# cell's key and value run along with that loop, and keeps them in memory: 1.2 ns a cell. Without, 16 sequences of
# 2 million parameters make 7,500 tokens a second instead of 6,950, and of 105 million 238 instead of 234; a prompt
# of theirs takes 6 and 1 % longer.
function(compile_attention)
    if(TARGET ggml-cpu AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        set_property(
            SOURCE "${CMAKE_CURRENT_SOURCE_DIR}/src/ggml-cpu/ops.cpp" TARGET_DIRECTORY ggml-cpu
            APPEND PROPERTY COMPILE_OPTIONS -fno-ivopts)
    endif()
endfunction()
cmake_language(DEFER CALL compile_attention)
