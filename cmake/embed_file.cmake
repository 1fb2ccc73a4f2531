# Write the bytes of INPUT as the C array SYMBOL into OUTPUT.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT}
	"#include <stddef.h>\n"
	"extern const unsigned char ${SYMBOL}[];\nextern const size_t ${SYMBOL}_size;\n"
	"const unsigned char ${SYMBOL}[] = {${bytes}0};\n"
	"const size_t ${SYMBOL}_size = sizeof(${SYMBOL}) - 1;\n")
