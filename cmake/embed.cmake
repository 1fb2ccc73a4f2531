# callweave_embed(TARGET FILE...): files as C arrays inside a program.
#
# x/page.html becomes page_page_html[] and page_page_html_size, declared in <TARGET>_pages.h; all of
# them are listed by name in <TARGET>_files[], ended by a NULL name. Done at build time by
# embed_file.cmake, so that the program needs no files beside it.
set(CALLWEAVE_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_file.cmake)

function(callweave_embed target)
	set(folder ${CMAKE_BINARY_DIR}/pages)
	string(MAKE_C_IDENTIFIER "${target}" prefix)
	string(MAKE_C_IDENTIFIER ${target} prefix) # integration-cache: integration_cache_files[]
	set(declarations "")
	set(list "")
	foreach(file ${ARGN})
		get_filename_component(file ${file} ABSOLUTE)
		get_filename_component(name ${file} NAME)
		string(MAKE_C_IDENTIFIER "page_${name}" symbol)
		set(output ${folder}/${target}/${symbol}.c)
		add_custom_command(OUTPUT ${output}
			COMMAND ${CMAKE_COMMAND} -D INPUT=${file} -D OUTPUT=${output} -D SYMBOL=${symbol}
				-P ${CALLWEAVE_EMBED_SCRIPT}
			DEPENDS ${file} ${CALLWEAVE_EMBED_SCRIPT} VERBATIM)
		target_sources(${target} PRIVATE ${output})
		string(APPEND declarations
			"extern const unsigned char ${symbol}[];\nextern const size_t ${symbol}_size;\n")
		string(APPEND list "\t{\"${name}\", ${symbol}, &${symbol}_size},\n")
	endforeach()
	file(GENERATE OUTPUT ${folder}/${target}_pages.h CONTENT
"#include <stddef.h>
${declarations}struct ${prefix}_file {
	const char *name;
	const unsigned char *data;
	const size_t *size;
};
extern const struct ${prefix}_file ${prefix}_files[];
")
	file(GENERATE OUTPUT ${folder}/${target}/files.c CONTENT
"#include \"${target}_pages.h\"
const struct ${prefix}_file ${prefix}_files[] = {
${list}\t{NULL, NULL, NULL},
};
")
	target_sources(${target} PRIVATE ${folder}/${target}/files.c)
endfunction()
