# One set of flags for the whole tree: warnings are errors, and the sanitizers are a switch.
add_library(callweave_flags INTERFACE)
target_compile_definitions(callweave_flags INTERFACE _GNU_SOURCE CALLWEAVE_VERSION="${PROJECT_VERSION}")
target_compile_options(callweave_flags INTERFACE
	-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
	-Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wno-unused-parameter
	-fno-strict-aliasing -fno-common -fstack-protector-strong -g)
if(CALLWEAVE_SANITIZE)
	target_compile_options(callweave_flags INTERFACE
		-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
	target_link_options(callweave_flags INTERFACE -fsanitize=address,undefined)
endif()
if(CALLWEAVE_FUZZ)
	if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
		message(FATAL_ERROR "CALLWEAVE_FUZZ needs clang: cmake --preset fuzz")
	endif()
	target_compile_options(callweave_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
	target_compile_definitions(callweave_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
