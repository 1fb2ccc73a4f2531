# callweave_embed(TARGET FILE...): files as C arrays inside a program.
#
# x/page.html becomes page_page_html[] and page_page_html_size, declared in <TARGET>_pages.h. Done
# at build time by embed_file.cmake, so that the program needs no files beside it.
set(CALLWEAVE_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_file.cmake)

function(callweave_embed target)
	set(folder ${CMAKE_BINARY_DIR}/pages)
	set(header "#include <stddef.h>\n")
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
		string(APPEND header
			"extern const unsigned char ${symbol}[];\nextern const size_t ${symbol}_size;\n")
	endforeach()
	file(GENERATE OUTPUT ${folder}/${target}_pages.h CONTENT "${header}")
endfunction()
