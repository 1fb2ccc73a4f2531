# callweave_layer(NAME SOURCES ... LAYERS ... PACKAGES ...): one layer of libshared.
#
# A layer's headers lie in libshared/<NAME>/ and are included by their bare names ("arena.h").
# Only the layers named under LAYERS (and what they pass on) are on the include path, so an
# include that goes the wrong way does not compile. PACKAGES are pkg-config modules; they are
# private: a third-party header cannot leak into another layer.
function(callweave_layer name)
	cmake_parse_arguments(L "" "" "SOURCES;LAYERS;PACKAGES" ${ARGN})
	if(NOT L_SOURCES)
		return()
	endif()
	add_library(callweave_${name} STATIC ${L_SOURCES})
	set_target_properties(callweave_${name} PROPERTIES LINKER_LANGUAGE C)
	target_include_directories(callweave_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
	target_link_libraries(callweave_${name} PUBLIC callweave_flags)
	foreach(below ${L_LAYERS})
		target_link_libraries(callweave_${name} PUBLIC callweave_${below})
	endforeach()
	callweave_packages(callweave_${name} ${L_PACKAGES})
endfunction()

# callweave_packages(TARGET MODULE...): link pkg-config modules, headers private to TARGET.
function(callweave_packages target)
	foreach(module ${ARGN})
		string(MAKE_C_IDENTIFIER "PKG_${module}" prefix)
		pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET GLOBAL ${module})
		# pocketsphinx names a folder that Debian puts elsewhere, and CMake takes that for an error.
		get_target_property(folders PkgConfig::${prefix} INTERFACE_INCLUDE_DIRECTORIES)
		set(there "")
		foreach(folder ${folders})
			if(IS_DIRECTORY ${folder})
				list(APPEND there ${folder})
			endif()
		endforeach()
		set_target_properties(PkgConfig::${prefix} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${there}")
		target_link_libraries(${target} PRIVATE PkgConfig::${prefix})
	endforeach()
endfunction()

# callweave_service(NAME SOURCES... LAYERS...): one program, services/<NAME>/*.c.
function(callweave_service name)
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
	if(NOT sources)
		return()
	endif()
	add_executable(${name} ${sources})
	target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${CMAKE_BINARY_DIR}/pages)
	foreach(layer ${ARGN})
		target_link_libraries(${name} PRIVATE callweave_${layer})
	endforeach()
endfunction()
