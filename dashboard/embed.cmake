# cmake -DOUT=page_files.c -DDIR=page -DFILES="index.html;app.css" -P embed.cmake
#   Writes the files as C arrays with their content types and ETags.
set(types "html=text/html\; charset=utf-8" "css=text/css\; charset=utf-8"
          "js=text/javascript\; charset=utf-8" "svg=image/svg+xml")
set(arrays "")
set(rows "")
set(n 0)
foreach(file IN LISTS FILES)
  file(READ "${DIR}/${file}" hex HEX)
  file(SHA256 "${DIR}/${file}" sum)
  string(SUBSTRING "${sum}" 0 16 tag)
  string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE ".*\\." "" ending "${file}")
  foreach(type IN LISTS types)
    if(type MATCHES "^${ending}=(.*)$")
      set(content_type "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  string(APPEND arrays "static const unsigned char file_${n}[] = {\n    ${bytes}\n};\n")
  string(APPEND rows "    {\"/${file}\", \"${content_type}\", \"\\\"${tag}\\\"\",\n"
                     "     {(const char *)file_${n}, sizeof(file_${n})}},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE "${OUT}" "/* Made by embed.cmake. */\n#include \"page.h\"\n\n${arrays}\n"
     "const struct page_file page_files[] = {\n${rows}};\nconst unsigned page_n_files = ${n};\n")
