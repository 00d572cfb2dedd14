;;; emacs.el --- jsonrpc.el as it comes -*- lexical-binding: t; -*-

;;; Commentary:

;; Speaks through jsonrpc.el with the binary in PLUGD_BINARY, and prints a
;; line for each step.

;;; Code:

(require 'jsonrpc)

(defvar seen nil "All notifications, the newest first.")

(defun check (step fine why)
  "Print that STEP is FINE, or WHY not."
  (princ (if fine (format "step %s ok\n" step) (format "step %s failed: %S\n" step why)))
  (unless fine (kill-emacs 1)))

(defun wait-until (fine)
  "Handle input until FINE answers something, at most 20 seconds."
  (with-timeout (20 nil)
    (let (found)
      (while (not (setq found (funcall fine)))
        (accept-process-output nil 0.01))
      found)))

(let* ((connection
        (make-instance
         'jsonrpc-process-connection
         :name "plugd"
         :notification-dispatcher (lambda (_ method params) (push (cons method params) seen))
         :process (make-process :name "plugd" :connection-type 'pipe :noquery t
                                :command (list (getenv "PLUGD_BINARY") "app-server"))))
       (hello (jsonrpc-request connection :initialize '(:clientInfo (:name "emacs-jsonrpc"))))
       listing plugin reading)
  (check "initialize" (equal "plugd" (plist-get (plist-get hello :serverInfo) :name)) hello)
  (jsonrpc-notify connection :initialized nil)
  (setq listing (jsonrpc-request connection :plugin/list nil))
  (setq plugin (list :marketplacePath (plist-get (aref (plist-get listing :marketplaces) 0) :path)
                     :pluginName "hello"))
  (check "list" (plist-get plugin :marketplacePath) listing)
  (setq reading (jsonrpc-request connection :plugin/read plugin))
  (check "read" (equal "Says hello" (plist-get (plist-get reading :plugin) :description)) reading)
  (let* ((answers nil)
         (request (jsonrpc-async-request
                   connection :plugin/install plugin
                   :success-fn (lambda (result) (push (cons 'result result) answers))
                   :error-fn (lambda (err) (push (cons 'error (plist-get err :code)) answers)))))
    (jsonrpc-notify connection :$/cancelRequest (list :id (car request)))
    (wait-until (lambda () answers))
    (check "cancel" (and (= 1 (length answers))
                         (or (eq 'result (caar answers)) (eql -32800 (cdar answers))))
           answers))
  (let ((installed (jsonrpc-request connection :plugin/install
                                    (append plugin '(:workDoneToken "installing")))))
    (let ((kinds (wait-until
                  (lambda ()
                    (let (kinds)
                      (dolist (one seen)
                        (when (and (eq '$/progress (car one))
                                   (equal "installing" (plist-get (cdr one) :token)))
                          (push (plist-get (plist-get (cdr one) :value) :kind) kinds)))
                      (and (member "end" kinds) kinds))))))
      (check "progress" (and (equal "begin" (car kinds)) (member "report" kinds)) seen))
    (check "install" (equal "1.0.0" (plist-get installed :installedVersion)) installed))
  (jsonrpc-request connection :plugin/uninstall '(:pluginId "hello@demo"))
  (check "uninstall" t nil)
  (jsonrpc-shutdown connection))

;;; emacs.el ends here
